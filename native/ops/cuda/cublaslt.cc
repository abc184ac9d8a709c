#include "ops/cuda/cublaslt.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include "core/error.h"

namespace limr::cuda::lt {
namespace {

namespace fs = std::filesystem;

const char* const kSonames[] = {"libcublasLt.so.13", "libcublasLt.so.12"};

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// Entries of `dir` whose names begin with `prefix`, newest version (by name) first.
std::vector<fs::path> entries(const fs::path& dir, const std::string& prefix) {
  std::vector<fs::path> found;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(dir, none))
    if (entry.path().filename().string().starts_with(prefix)) found.push_back(entry.path());
  std::sort(found.rbegin(), found.rend());
  return found;
}

std::vector<fs::path> folders() {
  std::vector<fs::path> dirs;
  if (const std::string home = variable("CUDA_HOME"); !home.empty()) dirs.push_back(fs::path(home) / "lib64");
  for (const fs::path& toolkit : entries("/usr/local", "cuda")) dirs.push_back(toolkit / "lib64");
  std::vector<fs::path> environments;
  for (const char* name : {"VIRTUAL_ENV", "CONDA_PREFIX"})
    if (const std::string root = variable(name); !root.empty()) environments.emplace_back(root);
  environments.emplace_back("/usr/local");
  environments.emplace_back("/usr");
  for (const fs::path& root : environments)
    for (const fs::path& python : entries(root / "lib", "python3"))
      for (const char* packages : {"site-packages", "dist-packages"})
        for (const char* wheel : {"cu13", "cu12", "cublas"})
          dirs.push_back(python / packages / "nvidia" / wheel / "lib");
  return dirs;
}

// What to hand to dlopen, in order. A folder that does not exist is left out, so that the list stays readable.
std::vector<std::string> candidates() {
  if (const std::string file = variable("LIMR_CUBLASLT"); !file.empty()) return {file};
  std::vector<std::string> files;
  for (const char* soname : kSonames) files.emplace_back(soname);
  std::error_code none;
  for (const fs::path& dir : folders())
    for (const char* soname : kSonames)
      if (fs::exists(dir / soname, none)) files.push_back((dir / soname).string());
  return files;
}

// Fills the table from an open library, or returns the name that it lacks.
std::string fill(CublasLt& lt, void* library) {
  std::string missing;
  const auto find = [&](auto& function, const char* name) {
    void* symbol = dlsym(library, name);
    if (!symbol && missing.empty()) missing = name;
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(symbol);
  };
  find(lt.create, "cublasLtCreate");
  find(lt.destroy, "cublasLtDestroy");
  find(lt.version, "cublasLtGetVersion");
  find(lt.status_name, "cublasLtGetStatusName");
  find(lt.matmul_create, "cublasLtMatmulDescCreate");
  find(lt.matmul_destroy, "cublasLtMatmulDescDestroy");
  find(lt.set_matmul_attribute, "cublasLtMatmulDescSetAttribute");
  find(lt.layout_create, "cublasLtMatrixLayoutCreate");
  find(lt.layout_destroy, "cublasLtMatrixLayoutDestroy");
  find(lt.preference_create, "cublasLtMatmulPreferenceCreate");
  find(lt.preference_destroy, "cublasLtMatmulPreferenceDestroy");
  find(lt.set_preference_attribute, "cublasLtMatmulPreferenceSetAttribute");
  find(lt.heuristic, "cublasLtMatmulAlgoGetHeuristic");
  find(lt.check, "cublasLtMatmulAlgoCheck");
  find(lt.algorithm_attribute, "cublasLtMatmulAlgoConfigGetAttribute");
  find(lt.matmul, "cublasLtMatmul");
  return missing;
}

std::string real_path(void* symbol, const std::string& fallback) {
  Dl_info info{};
  return dladdr(symbol, &info) && info.dli_fname ? info.dli_fname : fallback;
}

CublasLt load(const std::vector<std::string>& files) {
  std::string tried;
  for (const std::string& file : files) {
    void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
      const char* reason = dlerror();
      tried += cat("\n  ", file, ": ", reason ? reason : "cannot be loaded");
      continue;
    }
    CublasLt lt{};
    const std::string missing = fill(lt, library);
    if (missing.empty()) {
      lt.path = real_path(reinterpret_cast<void*>(lt.create), file);
      return lt;
    }
    dlclose(library);
    tried += cat("\n  ", file, ": has no ", missing);
  }
  throw Error(Code::kPlatform, cat("cuBLASLt was not found; tried", tried),
              "pip install nvidia-cublas, then set LIMR_CUBLASLT to its nvidia/cu13/lib/libcublasLt.so.13.");
}

}  // namespace

const CublasLt& load_cublaslt(const std::vector<std::string>& files) {
  static const CublasLt lt = load(files.empty() ? candidates() : files);
  return lt;
}

}  // namespace limr::cuda::lt
