// Gives images their classes: ILSVRC's ground truth, lists of files, list files.
#include "io/pack/image_labels.h"

#include <algorithm>
#include <charconv>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/error.h"
#include "io/files/text_file.h"

namespace convoy {
namespace {

std::optional<std::int64_t> whole_number(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct FileAndClass {
  std::string file;
  std::string class_name;
};

// A class has no blanks in its name, a file may.
FileAndClass part(const TextLine& line, const std::string& source) {
  std::size_t at = line.text.rfind('\t');
  if (at == std::string::npos) at = line.text.rfind(' ');
  if (at != std::string::npos) {
    FileAndClass parts{line.text.substr(0, at), line.text.substr(at + 1)};
    parts.file.erase(parts.file.find_last_not_of(" \t") + 1);
    if (!parts.file.empty()) return parts;
  }
  fail(ExitCode::bad_data, "line {} of {} must be a file and its class, not '{}'", line.number,
       source, line.text);
}

void label_by_id(ImageListing& listing, const std::vector<TextLine>& lines,
                 const std::string& source, const std::optional<Devkit>& devkit) {
  if (!devkit) {
    fail(ExitCode::usage,
         "{} has ILSVRC ids: --devkit must say which WNID each stands for (the devkit, its "
         "meta.mat, or a list of lines 'ID WNID words')",
         source);
  }
  if (lines.size() != listing.images.size()) {
    fail(ExitCode::bad_data, "{} has {} labels, but the input has {} images", source, lines.size(),
         listing.images.size());
  }
  std::ranges::sort(listing.images, {}, &SourceImage::name);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto id = whole_number(lines[i].text);
    const auto found = id ? devkit->classes.find(*id) : devkit->classes.end();
    if (found == devkit->classes.end()) {
      fail(ExitCode::bad_data,
           "line {} of {} has the id '{}', but the devkit {} has {} ids from {} to {}",
           lines[i].number, source, lines[i].text, devkit->path.string(), devkit->classes.size(),
           devkit->classes.begin()->first, devkit->classes.rbegin()->first);
    }
    listing.images[i].class_name = found->second.name;
  }
}

void label_by_file(ImageListing& listing, const std::vector<TextLine>& lines,
                   const std::string& source) {
  std::unordered_map<std::string, std::string> classes;
  for (const TextLine& line : lines) {
    auto [file, class_name] = part(line, source);
    if (!classes.emplace(std::filesystem::path(file).filename().string(), class_name).second) {
      fail(ExitCode::bad_data, "line {} of {} labels {} again", line.number, source, file);
    }
  }
  for (SourceImage& image : listing.images) {
    auto found = classes.extract(image.name);
    if (found.empty()) {
      fail(ExitCode::bad_data, "{} has no label for {}", source, image.name);
    }
    image.class_name = std::move(found.mapped());
  }
  if (!classes.empty()) {
    fail(ExitCode::bad_data, "{} labels {} files that the input does not have, such as {}", source,
         classes.size(), classes.begin()->first);
  }
}

}  // namespace

bool label_images(ImageListing& listing, const std::filesystem::path& labels,
                  const std::optional<Devkit>& devkit) {
  const bool own = labels.empty();
  const std::string source =
      own ? "the ground truth of the devkit " + devkit->path.string() : labels.string();
  const std::string text = own ? devkit->ground_truth : read_small_file(labels, "the labels");
  if (!is_text(text)) fail(ExitCode::bad_data, "{} is not a text file", source);
  const std::vector<TextLine> lines = text_lines(text);
  if (lines.empty()) fail(ExitCode::bad_data, "{} is empty", source);
  const bool ids = whole_number(lines.front().text).has_value();
  if (ids) {
    label_by_id(listing, lines, source, devkit);
  } else {
    label_by_file(listing, lines, source);
  }
  return ids;
}

ImageListing read_image_list(const std::string& text, const std::filesystem::path& path) {
  ImageListing listing;
  listing.class_prefix = fmt::format("in {} the class ", path.string());
  std::unordered_set<std::string> seen;
  for (const TextLine& line : text_lines(text)) {
    auto [file, class_name] = part(line, path.string());
    if (!seen.insert(file).second) {
      fail(ExitCode::bad_data, "line {} of {} lists {} again", line.number, path.string(), file);
    }
    listing.images.push_back({.name = std::move(file), .class_name = std::move(class_name)});
  }
  if (listing.images.empty()) {
    fail(ExitCode::bad_data, "the list {} is empty: it must have a line 'PATH CLASS' an image",
         path.string());
  }
  return listing;
}

}  // namespace convoy
