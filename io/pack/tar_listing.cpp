// Turns the members of a tar into a listing of images.
#include "io/pack/tar_listing.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/error.h"
#include "io/run/progress.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

bool hidden(const std::string& name) { return fs::path(name).filename().string().starts_with('.'); }

void add(ImageListing& listing, const TarMember& member, std::string name, std::string class_name) {
  if (member.regular) {
    listing.images.push_back({.name = std::move(name),
                              .class_name = std::move(class_name),
                              .offset = member.offset,
                              .bytes = member.bytes});
  } else {
    listing.issues.push_back({std::move(name), true, "is not a file"});
  }
}

Range range_of(const TarMember& member) { return {member.offset, member.offset + member.bytes}; }

// Images are named as if each class's tar had been unpacked into a folder of its name.
ImageListing list_tar_of_tars(const TarFile& tar, const std::vector<TarMember>& classes,
                              bool quiet) {
  ImageListing listing;
  Progress progress("Reading the tar's headers", "classes", std::ssize(classes), quiet);
  std::int64_t done = 0;
  for (const TarMember& member : classes) {
    const fs::path name(member.name);
    progress.update(done++);
    if (name.extension() != ".tar" || !member.regular) {
      listing.issues.push_back({member.name, true, "is in no class"});
      continue;
    }
    const std::string what = fmt::format("{} in {}", member.name, tar.path().string());
    if (!tar.is_tar(range_of(member))) {
      fail(ExitCode::bad_data, "{} is damaged or empty: it does not begin as a tar", what);
    }
    const std::string class_name = name.stem().string();
    const std::size_t before = listing.images.size();
    for (const TarMember& image : tar.members(range_of(member), what)) {
      if (hidden(image.name)) continue;
      add(listing, image, class_name + "/" + image.name, class_name);
    }
    if (listing.images.size() == before) {
      fail(ExitCode::bad_data, "{} has no files: its class would be empty", what);
    }
  }
  progress.update(done);
  return listing;
}

// Images are named as from the folder that holds the class folders.
ImageListing list_tar_of_folders(const TarFile& tar, const std::vector<TarMember>& members) {
  ImageListing listing;
  std::optional<fs::path> root;
  for (const TarMember& member : members) {
    const fs::path folder = fs::path(member.name).parent_path();
    if (folder.empty()) {
      listing.issues.push_back({member.name, true, "is in no class folder"});
      continue;
    }
    if (!root) root = folder.parent_path();
    if (folder.parent_path() != *root) {
      fail(ExitCode::bad_data,
           "the class folders in {} must lie side by side, but {} lies in '{}' and others in '{}'",
           tar.path().string(), member.name, folder.parent_path().string(), root->string());
    }
    const std::string class_name = folder.filename().string();
    add(listing, member, class_name + "/" + fs::path(member.name).filename().string(), class_name);
  }
  return listing;
}

ImageListing list_flat_tar(const std::vector<TarMember>& members) {
  ImageListing listing;
  for (const TarMember& member : members) {
    add(listing, member, fs::path(member.name).filename().string(), "");
  }
  return listing;
}

// Of ILSVRC's images some validation tars have one folder around all of them.
bool is_flat(const std::vector<TarMember>& members) {
  const fs::path folder = fs::path(members.front().name).parent_path();
  return std::ranges::all_of(members, [&](const TarMember& member) {
    return fs::path(member.name).parent_path() == folder;
  });
}

}  // namespace

TarListing list_tar(const TarFile& tar, bool quiet) {
  std::vector<TarMember> members = tar.members({0, tar.bytes()}, tar.path().string());
  std::erase_if(members, [](const TarMember& member) { return hidden(member.name); });
  if (members.empty()) fail(ExitCode::bad_data, "{} has no files", tar.path().string());
  TarListing found;
  const bool nested = std::ranges::any_of(members, [&](const TarMember& member) {
    return member.name.ends_with(".tar") && member.regular && tar.is_tar(range_of(member));
  });
  if (nested) {
    found.kind = TarKind::tar_of_tars;
    found.images = list_tar_of_tars(tar, members, quiet);
  } else if (is_flat(members)) {
    found.images = list_flat_tar(members);
  } else {
    found.kind = TarKind::class_folders;
    found.images = list_tar_of_folders(tar, members);
  }
  found.images.class_prefix = fmt::format("in {} the class ", tar.path().string());
  return found;
}

}  // namespace convoy
