#include "clients/cli/command_table.h"

#include "clients/cli/command_table_desk.h"

namespace bdcsync::cli {
namespace {

constexpr OptionSpec kSpace{"space", "SPACE", "where it is (your own: user:<you>)",
                            "BDC_SYNC_SPACE"};
constexpr OptionSpec kBranch{"branch", "BRANCH", "which branch (main)", ""};
constexpr OptionSpec kBase{"base", "VERSION", "the version that the change was made on", ""};
constexpr OptionSpec kMessage{"message", "TEXT", "a note for the history", "", true};
constexpr OptionSpec kCategory{"category", "NAME", "the category of the data", ""};
constexpr OptionSpec kOperationId{"op-id", "UUID", "repeating it applies the change once only", ""};
constexpr OptionSpec kLimit{"limit", "N", "show at most so many (100)", ""};

const std::vector<Command>& WriteCommands() {
  static const auto& commands = *new std::vector<Command>{
      {{"put",
        "TYPE/ID [DATA]",
        "create an entity or replace its data",
        1,
        2,
        {{"create", "", "fail if it exists", ""},
         kSpace,
         kBranch,
         kBase,
         kMessage,
         kCategory,
         kOperationId},
        "DATA is JSON, @FILE, or - for standard input (the default).",
        "bdc-sync put note/n1 '{\"title\": \"Hello\", \"tags\": []}'\n"
        "bdc-sync put note/n2 @note.json --message 'imported'\n"
        "jq -n '{a: 1}' | bdc-sync put settings/app --space team-1"},
       RunPut},
      {{"patch",
        "TYPE/ID [PATCH]",
        "change parts of an entity's data",
        1,
        2,
        {kSpace, kBranch, kBase, kMessage, kCategory, kOperationId},
        "PATCH is a merge patch (RFC 7396, an object) or a JSON Patch (RFC 6902, an array), given "
        "as\n"
        "JSON, @FILE or - for standard input. With --base, changes made meanwhile are merged.",
        "bdc-sync patch note/n1 '{\"title\": \"Bye\"}'\n"
        "bdc-sync patch note/n1 '[{\"op\": \"add\", \"path\": \"/tags/-\", \"value\": \"x\"}]'"},
       RunPatch},
      {{"text",
        "TYPE/ID POINTER [OPS]",
        "edit a text inside an entity's data",
        2,
        3,
        {kSpace, kBranch, kBase, kMessage, kCategory, kOperationId},
        "POINTER is a JSON pointer to the text. OPS are Delta operations (docs/ot.md), given as "
        "JSON,\n"
        "@FILE or - for standard input. With --base, they are moved over what was committed since.",
        "bdc-sync text note/n1 /body '[{\"retain\": 5}, {\"insert\": \"x\"}, {\"delete\": 2}]'"},
       RunText},
      {{"delete",
        "TYPE/ID",
        "delete an entity; its history stays",
        1,
        1,
        {kSpace, kBranch, kBase, kMessage, kOperationId},
        "",
        "bdc-sync delete note/n1"},
       RunDelete},
  };
  return commands;
}

const std::vector<Command>& ReadCommands() {
  static const auto& commands = *new std::vector<Command>{
      {{"get",
        "TYPE/ID",
        "show an entity",
        1,
        1,
        {{"version", "VERSION", "as it was in this version", ""},
         {"as-of", "TIME", "as it was then: RFC 3339, or 10m for ten minutes ago", ""},
         kSpace,
         kBranch},
        "",
        "bdc-sync get note/n1\nbdc-sync get note/n1 --as-of 1h\n"
        "bdc-sync get note/n1 --json | jq .data"},
       RunGet},
      {{"list",
        "[TYPE...]",
        "list the living entities of a space",
        0,
        kAnyNumber,
        {kSpace, kLimit},
        "",
        "bdc-sync list\nbdc-sync list note task --space team-1 --limit 1000"},
       RunList},
      {{"history",
        "TYPE/ID",
        "list the versions of an entity, newest first",
        1,
        1,
        {kSpace, kBranch, kLimit},
        "",
        "bdc-sync history note/n1"},
       RunHistory},
      {{"diff",
        "TYPE/ID FROM [TO]",
        "compare two versions, as a JSON Patch",
        2,
        3,
        {kSpace, kBranch},
        "FROM and TO are versions as `history` shows them; TO is the head if left out.",
        "bdc-sync diff note/n1 1-5c0e2a7d9b3f4e61"},
       RunDiff},
  };
  return commands;
}

// Commands about more than one entity.
const std::vector<Command>& SpaceCommands() {
  static const auto& commands = *new std::vector<Command>{
      {{"watch",
        "[TYPE...]",
        "follow a space: its state, then every change",
        0,
        kAnyNumber,
        {{"cursor", "CURSOR", "go on after this place instead of showing the state", ""},
         {"latest", "", "skip versions that are already superseded", ""},
         {"no-data", "", "leave the data out", ""},
         {"once", "", "end when the present is reached", ""},
         {"id", "ID", "only this entity id; may be repeated", ""},
         {"category", "NAME", "only this category; may be repeated", ""},
         {"branch", "BRANCH", "this branch instead of main; may be repeated", ""},
         kSpace},
        "Ends with Ctrl-C. When the connection is lost it returns by itself and goes on where it "
        "was:\n"
        "nothing is missed and nothing comes twice. With --json, lines of type \"cursor\" tell "
        "where to\n"
        "go on from after all lines above them.",
        "bdc-sync watch\nbdc-sync watch note --space team-1 --json"},
       RunWatch},
      {{"devices",
        "[revoke ID]",
        "list your devices, latest seen first, or revoke one",
        0,
        2,
        {kLimit, {"owner", "USER", "whose device to revoke; yours if left out", ""}},
        "A revoked device is closed, told to purge its data, and not let in again. Others' devices "
        "are\n"
        "revoked by an admin.",
        "bdc-sync devices\nbdc-sync devices revoke phone-1"},
       RunDevices},
      {{"status",
        "",
        "show the suite as the gateway sees it",
        0,
        0,
        {},
        "The exit status is 0 when every service is ready, 1 when one is not.",
        "bdc-sync status"},
       RunStatus},
  };
  return commands;
}

const std::vector<Command>& AdminCommands() {
  static const auto& commands = *new std::vector<Command>{
      {{"spool",
        "ACTION [ID...]",
        "stored operations that were refused: list, retry, discard, export",
        1,
        kAnyNumber,
        {{"all", "", "retry or discard all of them", ""}, kLimit},
        "A gateway stores operations while the version service is away. One that is refused later "
        "is "
        "parked\n"
        "with its reason and never deleted by itself:\n"
        "  list      shows what is parked; --json for scripts\n"
        "  export    prints everything with its data, as lines of JSON\n"
        "  retry     sends operations once more, at their old place\n"
        "  discard   deletes them for good\n"
        "Each gateway has its own: name it with --address. The token must be an admin's.",
        "export BDC_SYNC_TOKEN=$(bdc-sync token --admin)\n"
        "bdc-sync spool list\nbdc-sync spool export > parked.jsonl\n"
        "bdc-sync spool retry 17 18\nbdc-sync spool discard --all"},
       RunSpool},
      {{"config",
        "[KEY=VALUE...]",
        "show or change configuration at run time, in all processes",
        0,
        kAnyNumber,
        {},
        "Changes keys that are marked reloadable in docs/configuration.md, until the processes "
        "end; "
        "KEY= takes\n"
        "a change back. Without KEY, shows what is changed. The token must be an admin's.",
        "bdc-sync config monitoring.log_level=debug\nbdc-sync config monitoring.log_level="},
       RunConfig},
  };
  return commands;
}

const Command& MergeCommand() {
  static const auto& command = *new Command{
      {"merge",
       "BASE THEIRS OURS",
       "merge three JSON files: what became of BASE in THEIRS and in OURS",
       3,
       3,
       {{"rules", "FILE", "a rule set (docs/merging.md)", ""},
        {"output", "FILE", "write the document there instead of to standard output", ""},
        {"later", "SIDE", "ours or theirs: which was written later, for lww (ours)", ""}},
       "Without --rules, what both sides changed to different values stays open, and the document\n"
       "holds theirs there; an edit wins over the removal of the same place (`delete` in a rule "
       "set\n"
       "decides otherwise), and a note says so. Conflicts and notes are listed on standard error,\n"
       "with --json as one JSON object with all decisions. An empty file is a document that does\n"
       "not exist; - is standard input.\n"
       "Exit status: 0 clean, 1 open conflicts, 2 bad input.",
       "bdc-sync merge base.json theirs.json ours.json --rules rules.json > merged.json\n"
       "git config merge.json.driver 'bdc-sync merge %O %B %A --output %A'\n"
       "echo '*.json merge=json' >> .gitattributes"},
      nullptr,
      RunMerge};
  return command;
}

// Commands that need no server.
const std::vector<Command>& LocalCommands() {
  static const auto& commands = *new std::vector<Command>{
      {{"delta",
        "",
        "apply, compose, transform, invert, diff rich text, line by line",
        0,
        0,
        {},
        "Reads requests from standard input, one JSON object a line, and answers each with one "
        "line:\n"
        "{\"ops\": [...]} or {\"error\": {\"code\": ..., \"message\": ...}}. Values are arrays "
        "of operations of the\n"
        "Delta format, positions UTF-16 units. transform gives b as it is to be done after a; with "
        "priority, a\n"
        "counts as having been first. Requests:\n"
        "  {\"op\": \"apply\", \"doc\", \"delta\"}    {\"op\": \"invert\", \"delta\", \"doc\"}\n"
        "  {\"op\": \"compose\", \"a\", \"b\"}      {\"op\": \"transform\", \"a\", \"b\", "
        "\"priority\"}\n"
        "  {\"op\": \"diff\", \"a\", \"b\"}",
        "echo '{\"op\": \"transform\", \"a\": [{\"insert\": \"x\"}], \"b\": [{\"insert\": "
        "\"y\"}], \"priority\": true}' | bdc-sync delta"},
       nullptr,
       RunDelta},
      {{"token",
        "",
        "make a token from a secret (HS256)",
        0,
        0,
        {{"device", "ID", "the device it is bound to", ""},
         {"grant", "SPACE=ACCESS", "read or write a shared space; may be repeated", ""},
         {"admin", "", "may do everything", ""},
         {"expires", "DURATION", "how long it is valid (24h)", ""},
         {"secret-file", "FILE", "the secret to sign with", ""}},
        "The secret is taken from --secret-file, BDC_SYNC_JWT_SECRET, "
        "BDC_SYNC_JWT_SECRET_FILE, or the\n"
        "file `secret` in the data folder of `bdc-sync serve`. Other commands do the "
        "same for --user\n"
        "when no --token is given.",
        "export BDC_SYNC_TOKEN=$(bdc-sync token --user ada --grant team-1=write)"},
       nullptr,
       RunToken},
      {{"version",
        "",
        "print the version of this program",
        0,
        0,
        {},
        "",
        "bdc-sync version\nbdc-sync version --json | jq -r .version"},
       nullptr,
       RunVersion},
  };
  return commands;
}

}  // namespace

const std::vector<Command>& Commands() {
  static const auto& commands = *[] {
    auto* all = new std::vector<Command>(WriteCommands());
    all->insert(all->end(), ReadCommands().begin(), ReadCommands().end());
    all->insert(all->end(), SpaceCommands().begin(), SpaceCommands().end());
    all->insert(all->end(), DeskCommands().begin(), DeskCommands().end());
    all->insert(all->end(), AdminCommands().begin(), AdminCommands().end());
    all->push_back(MergeCommand());
    all->insert(all->end(), LocalCommands().begin(), LocalCommands().end());
    return all;
  }();
  return commands;
}

const Command* FindCommand(absl::string_view name) {
  for (const Command& command : Commands()) {
    if (command.spec.name == name) return &command;
  }
  return nullptr;
}

}  // namespace bdcsync::cli
