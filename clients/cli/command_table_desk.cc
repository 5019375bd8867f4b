// The commands of the desk, as help shows them.
#include "clients/cli/command_table_desk.h"

namespace bdcsync::cli {
namespace {

constexpr OptionSpec kSpace{"space", "SPACE", "where it is (your own: user:<you>)",
                            "BDC_SYNC_SPACE"};
constexpr OptionSpec kLimit{"limit", "N", "show at most so many (100)", ""};
constexpr OptionSpec kType{"type", "TYPE", "only entities of this type", ""};
constexpr OptionSpec kPath{"path", "POINTER", "only at this place; may be repeated", "", true};

const Command& RulesCommand() {
  static const auto& command = *new Command{
      {"rules",
       "[ACTION ...]",
       "how changes to entities of a type are merged: list, show, put, try",
       0,
       3,
       {{"version", "N", "show: this version instead of the one that holds", ""},
        {"expected", "N", "put: only if this version holds", ""},
        {"records", "N", "try: on so many of the newest records (1000)", ""},
        {"everywhere", "", "try: on the records of all spaces, for administrators", ""},
        kSpace},
       "  list [TYPE]       the rules that hold, or all versions of one\n"
       "  show TYPE         the rules of a type\n"
       "  put TYPE FILE     stores a new version, which holds at once; - is standard input\n"
       "  remove TYPE       back to the defaults; the versions are kept\n"
       "  check FILE        says whether the rules are right, and the place where not\n"
       "  try TYPE FILE     what they would have decided otherwise, on the records of a --space\n"
       "Rules are described in docs/merging.md; a file may hold the list of them alone. All but "
       "try\n"
       "need an administrator's token.",
       "export BDC_SYNC_TOKEN=$(bdc-sync token --admin)\n"
       "bdc-sync rules check note.json && bdc-sync rules put note note.json\n"
       "bdc-sync rules try note note.json --space team-1"},
      RunRules};
  return command;
}

}  // namespace

const std::vector<Command>& DeskCommands() {
  static const auto& commands = *new std::vector<Command>{
      {{"conflicts",
        "[ACTION ...]",
        "changes that wait for a decision, and what became of earlier ones",
        0,
        3,
        {{"status", "STATUS", "open, assigned, resolved, expired, superseded, cancelled or any",
          ""},
         {"assigned", "USER", "only those assigned to this user", ""},
         {"by", "WHAT", "stats: all, type, path, rule, device, version, time or entity", ""},
         {"since", "TIME", "stats: from then on: RFC 3339, or 24h for a day ago", ""},
         {"bucket", "DURATION", "stats --by time: the width of a row (1h)", ""},
         {"everywhere", "", "stats: in all spaces, for administrators", ""},
         kType,
         kPath,
         kSpace,
         kLimit},
        "  list                     what is open (the default), or in another --status\n"
        "  show CONFLICT            base, theirs and ours of each place beside each other\n"
        "  assign CONFLICT [USER]   leaves the decision to a user; without one, to anybody\n"
        "  cancel CONFLICT          gives the change up; for its author\n"
        "  records                  decisions that were taken, with and without asking\n"
        "  undo OPERATION           takes a decision back; of a conflict, its id\n"
        "  stats                    counts over the records of a --space\n"
        "`bdc-sync resolve` decides.",
        "bdc-sync conflicts --space team-1\n"
        "bdc-sync conflicts show 0f2b7c64a91d4e0f8a5c3d2e1b6f7a90\n"
        "bdc-sync conflicts stats --space team-1 --by path --since 168h"},
       RunConflicts},
      {{"resolve",
        "[CONFLICT...]",
        "decide conflicts, as a whole or place by place",
        0,
        kAnyNumber,
        {{"choice", "CHOICE", "base, ours, theirs, proposed or value", ""},
         {"value", "JSON", "what is to stand there; @FILE or - as for put", ""},
         kPath,
         {"all-of", "TYPE", "every open conflict about entities of this type", ""},
         {"preview", "", "show what would come of it, decide nothing", ""},
         kSpace},
        "ours is the change that waits, theirs what stands there now, proposed what the rules "
        "would "
        "make of\n"
        "the two without asking. Places that are not named stay open, and so does the conflict "
        "until all\n"
        "are decided. The exit status is 1 when a decision was refused.",
        "bdc-sync resolve 0f2b7c64a91d4e0f8a5c3d2e1b6f7a90 --choice ours\n"
        "bdc-sync resolve 0f2b7c64a91d4e0f8a5c3d2e1b6f7a90 --path /title --value '\"Both\"'\n"
        "bdc-sync resolve --all-of note --space team-1 --choice proposed"},
       RunResolve},
      RulesCommand(),
  };
  return commands;
}

}  // namespace bdcsync::cli
