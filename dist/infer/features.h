// The features of a dataset's images: what a net's last layer reads of each.
#pragma once

#include "dist/infer/predictor.h"
#include "io/dataset/dataset.h"
#include "io/run/feature_file.h"

namespace convoy {

// Computes those of every image, by its centre, and writes them to `path`. `predictor` takes one
// view. Throws Error(bad_data) where the dataset's images are not of the size that the net was
// trained on.
void write_features(Predictor& predictor, const Dataset& dataset, const DataOptions& data,
                    const FeatureOrigin& origin, const std::filesystem::path& path);

}  // namespace convoy
