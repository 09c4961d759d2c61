// The `convoy` executable.
#include <iostream>

#include "launcher/dispatch.h"

int main(int argc, char** argv) { return convoy::dispatch(argc, argv, std::cout, std::cerr); }
