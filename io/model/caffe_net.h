// A net in the words of Caffe: its layers and their settings, without weights.
#pragma once

#include <filesystem>
#include <string>

#include <caffe.pb.h>

#include "core/net/spec.h"

namespace convoy {

// Input, layers with Dropout where it stands in training, logits. Throws Error(usage) for a layer
// that Caffe cannot have, naming it.
[[nodiscard]] caffe::Net caffe_net(const NetSpec& net);

// Compares what computes in `found` (not its data, dropout, loss and splits) with the net, layer by
// layer. Throws Error(bad_checkpoint), naming `path` and the first layer that differs or is of a
// type that no net here has.
void require_caffe_net(const caffe::Net& found, const NetSpec& net,
                       const std::filesystem::path& path);

// The old form's layers as new ones; their blobs are moved.
[[nodiscard]] caffe::Net as_new_form(caffe::Net&& net);

}  // namespace convoy
