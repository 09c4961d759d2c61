// Writes small valid inputs for the targets that read bytes: fuzz_seeds FOLDER makes
// FOLDER/TARGET/.
#include <fstream>
#include <string>

#include "io/files/text_file.h"
#include "io/model/caffe.h"
#include "io/model/safetensors.h"
#include "io/run/event_folder.h"
#include "io/run/event_names.h"
#include "launcher/net_files.h"
#include "launcher/options.h"
#include "tests/io/support/image_files.h"
#include "tests/io/support/meta_mat.h"
#include "tests/io/support/tar_maker.h"

int main(int argc, char** argv) {
  using namespace convoy;
  namespace fs = std::filesystem;
  if (argc != 2) return 2;
  const fs::path folder = argv[1];
  for (const char* target : {"config", "net", "classes", "image", "seal", "source", "labels",
                             "devkit", "safetensors", "caffemodel", "events"}) {
    fs::create_directories(folder / target);
  }
  const auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(folder / name, std::ios::binary) << text;
  };
  write("config/all.ini", render_job({}));
  write("config/line", "--recipe\ncaffe\n--solver.batch=64\n--data.train\nfolder\n");
  for (const NetFile& file : net_files())
    write("net/" + std::string(file.name), std::string(file.text));
  write("net/words",
        "input 40; towers 2; conv 8 kernel 5 stride 2 pad 1 pad-end 2 std 0.5 bias 2 name first;"
        "lrn size 3 alpha 0.3 divided beta 0.5 k 1 scope all; conv 16 kernel 3 groups 4 std he;"
        "spatial-norm size 3 alpha 0.1 beta 0.6 k 2; dropout 0.2 inverted number 7; relu;"
        "fc 4 uniform; fc classes");
  write("classes/list.txt", "n01440764 tench, Tinca tinca\nn01443537\tgoldfish\n\ncat\n");
  write("seal/whole",
        "123456789\nconvoy-seal crc32c e3069283 bytes 9" + std::string(26, ' ') + "\n");
  Bytes pixels(40 * 30 * 3);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * i / 7);
  const auto image = [&](const std::string& name, const Bytes& bytes) {
    write("image/" + name, std::string(bytes.begin(), bytes.end()));
  };
  image("colour.jpg", jpeg_file(pixels, 40, 30));
  image("subsampled.jpg", jpeg_file(pixels, 40, 30, {TJPF_RGB, TJSAMP_420, 0}));
  image("progressive.jpg", jpeg_file(pixels, 40, 30, {TJPF_RGB, TJSAMP_420, TJFLAG_PROGRESSIVE}));
  image("grey.jpg", jpeg_file(pixels, 40, 30, {TJPF_GRAY, TJSAMP_GRAY, 0}));
  image("cmyk.jpg", jpeg_file(pixels, 30, 20, {TJPF_CMYK, TJSAMP_444, 0}));
  image("colour.png", png_file(pixels, 40, 30, PNG_FORMAT_RGB));
  image("transparent.png", png_file(pixels, 30, 20, PNG_FORMAT_RGBA));
  image("grey16.png", png_file(pixels, 30, 20, PNG_FORMAT_LINEAR_Y));
  const auto file = [&](const std::string& name, const Bytes& bytes) {
    write(name, std::string(bytes.begin(), bytes.end()));
  };
  const Bytes inner = TarMaker().add("a_1.JPEG", bytes_of("one")).finish();
  file("source/nested.tar", TarMaker().add("n01.tar", inner).add("n02.tar", inner).finish());
  file("source/folders.tar",
       TarMaker().add("./t/n01/1.jpg", bytes_of("one")).add("t/n02/2.jpg", bytes_of("2")).finish());
  write("source/list", "a/1.jpg cat\nb/2.jpg\tdog\n# a comment\n");
  write("labels/ids", "1\n2\n1\n");
  write("labels/names", "a.jpg cat\nb.jpg dog\nc.jpg cat\n");
  const std::vector<Synset> synsets{{2, "n01443537", "goldfish"}, {1, "n02119789", "kit fox"}};
  file("devkit/meta.mat", meta_mat(synsets, false));
  file("devkit/packed.mat", meta_mat(synsets, true));
  file("devkit/kit.tar", TarMaker().add("data/meta.mat", meta_mat(synsets, true)).finish());
  write("devkit/list", "1\tn02119789 kit fox\n2 n01443537 goldfish\n");
  ModelOptions model;  // the net of the target `caffemodel`
  model.width = 0.01;
  model.input = 67;
  model.classes = 2;
  const NetSpec net = build_alexnet(model);
  write_prototxt(folder / "caffemodel" / "text", net);
  OutgoingModel small{net, {}, {}, {{"names", "torch"}, {"convoy", "{}"}, {"words", "[]"}}};
  write_caffemodel(folder / "caffemodel" / "bare", small);
  write_caffe_mean(folder / "caffemodel" / "mean", {2, std::vector<float>(12, 0.5F)});
  small.values = [](const TensorPlace& place) {
    return std::vector<float>(static_cast<std::size_t>(place.shape.count()), 0.5F);
  };
  for (const TensorPlace& place : tensor_places(net, TensorNames::caffe, true))
    if (place.kind == "bias" || place.layer == "fc8") small.places.push_back(place);
  write_caffemodel(folder / "caffemodel" / "biases", small);
  write_safetensors(folder / "safetensors" / "biases", small);
  const fs::path events = folder / "events" / "made";
  {
    EventFolder run(events, 0);
    run.write_config(0, "[run]\n");
    for (std::int64_t step = 1; step <= 3; ++step) run.write(TrainMetrics{.step = step});
    Histogram histogram;
    static_cast<void>(count(std::vector<float>{-1, 0, 0.5F}, histogram));
    run.write(3, {TaggedHistogram{"weight/conv1", histogram}});
    run.write(3, {TaggedPicture{"inputs/0", pixels.data(), 3, 4}});
    run.write(EvalMetrics{.step = 3});
  }
  const std::string run = read_small_file(event_files(events).front(), "event file");
  fs::remove_all(events);
  write("events/cut-at-0", std::string("\0\0", 2) + run);
  write("events/cut-at-2", "\5\n1700000000" + run);
  write("events/whole", "\7\0239223372036854775807" + run);
  image("map.png", png_file(pixels, 40, 30, PNG_FORMAT_RGB_COLORMAP, Bytes(256 * 3, 7)));
}
