# Builds Convoy with Spack from the repository's folder:
#
#   spack repo add cmake/packaging/spack
#   spack dev-build convoy@0.1.0 +cuda cuda_arch=90
#
# Read by Python alone so far; not built by Spack yet.
from spack.package import *


class Convoy(CMakePackage, CudaPackage):
    """Trains AlexNet on a cluster by model or data parallelism, with the same result under each."""

    version("0.1.0")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("ninja", type="build")
    # The installed CMake package asks pkg-config as the build does.
    depends_on("pkgconfig", type=("build", "link"))

    depends_on("mpi")
    depends_on("hdf5@1.10: ~mpi")
    depends_on("onednn@2.6:2")
    depends_on("boost@1.74: +program_options")
    depends_on("libjpeg-turbo@2:")
    depends_on("libpng")
    depends_on("isa-l")
    depends_on("libarchive")
    depends_on("zlib-api")
    depends_on("fmt@9:")
    depends_on("spdlog@1.10: +fmt_external")
    depends_on("nlohmann-json")
    depends_on("protobuf@3.21:")

    with when("+cuda"):
        depends_on("cuda@12:")
        depends_on("cudnn@9:")
        depends_on("nccl@2.18:")

    generator("ninja")
    conflicts("%gcc@:11", msg="Convoy is written in C++20")
    # Several ranks talk from several threads, and convoy launch starts Open MPI's mpirun.
    requires("^[virtuals=mpi] openmpi@4", msg="convoy launch needs Open MPI 4")

    def cmake_args(self):
        args = [
            self.define("CONVOY_TESTS", False),
            self.define("CONVOY_CUDA", "ON" if self.spec.satisfies("+cuda") else "OFF"),
        ]
        if self.spec.satisfies("+cuda"):
            args.append(self.define("cuDNN_ROOT", self.spec["cudnn"].prefix))
            args.append(self.define("NCCL_ROOT", self.spec["nccl"].prefix))
            architectures = self.spec.variants["cuda_arch"].value
            if architectures[0] != "none":
                args.append(self.define("CMAKE_CUDA_ARCHITECTURES", architectures))
        return args
