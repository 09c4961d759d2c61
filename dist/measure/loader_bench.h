// Times the reader of a training set alone, and each part of its work, so that what holds it up has
// a name.
#pragma once

#include "dist/job.h"

namespace convoy {

// Of job.data.train, read as that says, by this process alone. Takes about ten seconds.
LoaderResult measure_loader(const JobOptions& job);

}  // namespace convoy
