#include "libs/json/path_list.h"

#include <algorithm>

namespace bdcsync::json {
namespace {

size_t TokensIn(const std::string& path) {
  return static_cast<size_t>(std::count(path.begin(), path.end(), '/'));
}

// The first `tokens` tokens of `path`: a slash inside a token is escaped.
void CutTo(size_t tokens, std::string& path) {
  size_t end = 0;
  while (end < path.size() && (path[end] != '/' || tokens-- > 0)) ++end;
  path.resize(end);
}

}  // namespace

void CutToAncestors(std::vector<std::string>& paths, size_t paths_max) {
  size_t tokens_max = 0;
  for (const std::string& path : paths) tokens_max = std::max(tokens_max, TokensIn(path));
  while (paths.size() > paths_max && tokens_max > 0) {
    --tokens_max;
    for (std::string& path : paths) CutTo(tokens_max, path);
    paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  }
}

}  // namespace bdcsync::json
