#include "clients/bench/options.h"

#include <functional>
#include <map>

#include "absl/algorithm/container.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

namespace bdcsync::bench {
namespace {

using Setter = std::function<bool(Options&, const std::string&)>;

Setter Number(int Options::*member, int minimum) {
  return [=](Options& options, const std::string& text) {
    return absl::SimpleAtoi(text, &(options.*member)) && options.*member >= minimum;
  };
}

Setter Text(std::string Options::*member) {
  return [=](Options& options, const std::string& text) {
    options.*member = text;
    return !text.empty();
  };
}

Setter Time(absl::Duration Options::*member) {
  return [=](Options& options, const std::string& text) {
    return absl::ParseDuration(text, &(options.*member)) && options.*member >= absl::ZeroDuration();
  };
}

bool SetProtocol(Options& options, const std::string& text) {
  options.protocol = text == "sharedb" ? Protocol::kShareDb : Protocol::kBdcSync;
  return text == "sharedb" || text == "bdc-sync";
}

const std::map<std::string, Setter>& Setters() {
  static const auto* setters = new std::map<std::string, Setter>{
      {"url", Text(&Options::url)},
      {"token", Text(&Options::token)},
      {"protocol", SetProtocol},
      {"connections", Number(&Options::connections, 1)},
      {"in-flight", Number(&Options::in_flight, 1)},
      {"spaces", Number(&Options::spaces, 1)},
      {"entities", Number(&Options::entities, 0)},
      {"bytes", Number(&Options::payload_bytes, 1)},
      {"rate", Number(&Options::rate_per_s, 0)},
      {"return-within", Time(&Options::return_within)},
      {"recording", Text(&Options::recording)},
      {"latency", Time(&Options::latency)},
      {"pairs", Number(&Options::pairs, 1)},
      {"edits", Number(&Options::edits, 1)},
      {"warm-up", Time(&Options::warm_up)},
      {"duration", Time(&Options::duration)},
  };
  return *setters;
}

}  // namespace

absl::StatusOr<Options> ParseOptions(const std::vector<std::string>& args) {
  Options options;
  for (const std::string& arg : args) {
    absl::string_view rest = arg;
    if (!absl::ConsumePrefix(&rest, "--")) {
      if (!options.load.empty()) {
        return absl::InvalidArgumentError(absl::StrCat("more than one load: ", arg));
      }
      options.load = arg;
      continue;
    }
    const std::size_t equals = rest.find('=');
    const auto setter = Setters().find(std::string(rest.substr(0, equals)));
    if (setter == Setters().end()) {
      return absl::InvalidArgumentError(absl::StrCat("no such option: ", arg));
    }
    const bool has_value = equals != absl::string_view::npos;
    if (!has_value || !setter->second(options, std::string(rest.substr(equals + 1)))) {
      return absl::InvalidArgumentError(absl::StrCat("a value is missing or out of range: ", arg));
    }
  }
  if (absl::c_find(kLoads, options.load) == std::end(kLoads)) {
    return absl::InvalidArgumentError(absl::StrCat("name a load: ", absl::StrJoin(kLoads, ", ")));
  }
  return options;
}

std::string Usage() {
  return R"(bdc-sync bench LOAD [--NAME=VALUE …]
Puts load on a gateway and prints one JSON object of what it measured.

  write    connections × in-flight creates of distinct entities over all spaces, or patches of
           `entities` of each connection, at least as many as are in flight
  fanout   one writer, `connections` subscribers of one space, each checked: complete, in order
  idle     holds `connections` authenticated sessions with a subscription until standard input ends
  reconnect  opens as many sessions, says "ready", and measures until all are back from the loss of
           their gateway, which somebody else restarts
  text-replay  two clients type a recorded session of two, `pairs` times at once, each in a text
               of its own; fails unless it ends as recorded
  text-hot     `connections` clients type into one text, `rate` operations per second each
  text-open    opens a text that `edits` edits made, which it first does

  --url=ws://127.0.0.1:8765/   the gateway
  --token=JWT                  must allow writing to every space that is used (an admin token does)
  --protocol=bdc-sync          or sharedb, for write and text-replay
  --connections=32 --in-flight=16 --spaces=100 --entities=0 --bytes=256
  --rate=0                     events per second of the fan-out writer; 0: all that in-flight allows
  --return-within=2s           how long clients wait at most before they return to their gateway
  --recording=FILE --latency=0s --pairs=1 --edits=1000000
                               of text: the session; what is added to each message, both ways
  --warm-up=1s --duration=5s
)";
}

}  // namespace bdcsync::bench
