// Something of each floor, through headers that are included as Convoy's own sources include them.
#include <cstdio>

#include "core/recipe.h"
#include "dist/comm/libraries.h"
#include "io/files/libraries.h"
#include "launcher/commands.h"

int main() {
  std::printf("%zu recipes, %zu commands, %zu libraries, %zu of them for files\n",
              convoy::recipes().size(), convoy::make_commands().size(), convoy::libraries().size(),
              convoy::io_libraries().size());
}
