# bdc_embed_migrations(SOURCES_VARIABLE NAMESPACE FUNCTION FOLDER)
# Generates a source file that defines
# absl::Span<const bdcsync::sql::Migration> NAMESPACE::FUNCTION() over FOLDER/*.sql, in order of
# name, and appends it to SOURCES_VARIABLE. Link bdc::sql.
set(BDC_EMBED_MIGRATIONS_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/embed_migrations_script.cmake)

function(bdc_embed_migrations sources_variable namespace function folder)
  file(GLOB files CONFIGURE_DEPENDS ${folder}/*.sql)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/${function}.cc)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DFOLDER=${folder} -DOUTPUT=${output} -DNAMESPACE=${namespace}
            -DFUNCTION=${function} -P ${BDC_EMBED_MIGRATIONS_SCRIPT}
    DEPENDS ${files} ${BDC_EMBED_MIGRATIONS_SCRIPT}
    VERBATIM)
  set(${sources_variable} ${${sources_variable}} ${output} PARENT_SCOPE)
endfunction()
