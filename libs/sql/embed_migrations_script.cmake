# Run at build time by bdc_embed_migrations(): FOLDER/*.sql → OUTPUT.
file(GLOB files ${FOLDER}/*.sql)
list(SORT files)
set(rows "")
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME)
  string(REGEX MATCH "^[0-9]+" number ${name})
  string(REGEX REPLACE "^0+" "" number ${number})
  file(READ ${file} sql)
  string(APPEND rows "    {${number}, \"${name}\", R\"sql(${sql})sql\"},\n")
endforeach()
file(WRITE ${OUTPUT} "// Generated from ${FOLDER}.
#include \"libs/sql/migrations.h\"

namespace ${NAMESPACE} {
namespace {
constexpr ::bdcsync::sql::Migration k${FUNCTION}[] = {
${rows}};
}  // namespace
absl::Span<const ::bdcsync::sql::Migration> ${FUNCTION}();
absl::Span<const ::bdcsync::sql::Migration> ${FUNCTION}() { return k${FUNCTION}; }
}  // namespace ${NAMESPACE}
")
