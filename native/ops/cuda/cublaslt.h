// native/ops/cuda/cublaslt.h - the part of cuBLASLt that linear.cu calls: declared by ourselves, found at run time.
//
// NVIDIA's header is not vendored and its library not linked: half a gigabyte that not every machine has must not decide whether
// a module loads. Values and layouts are those of cublasLt.h in CUDA 12 and 13; cublaslt_check.cc compares them wherever that
// header exists. All calls go through a CublasLt, so a test can put a stand-in behind linear.cu.
//
// What a stand-in has to know. Matrices are column-major; layouts carry (type, rows, cols, ld), types kBf16 and kF32.
//   D[m,n] = alpha op(A) op(B) + beta C (+ bias[m], of D's type, with kEpilogueBias)       alpha, beta: host floats; C may be D
// set_matmul_attribute sets kTransA, kTransB (int32), kEpilogue (uint32), kBiasPointer (a pointer), kBatchInvariance (int32; a
// library that does not know it answers kStatusInvalidValue), and nothing else. An Algorithm is opaque to linear.cu: copied, kept,
// and handed back; heuristic() writes at most `wanted` of them, best first, and AlgorithmChoice.status is kStatusSuccess for each
// that can run. algorithm_attribute() reads kAlgorithmId, kTileId, kSplitK, kReductionScheme, kStagesId (int32 or uint32 each).
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace limr::cuda::lt {

using Handle = void*;        // cublasLtHandle_t
using Matmul = void*;        // cublasLtMatmulDesc_t
using Layout = void*;        // cublasLtMatrixLayout_t
using Preference = void*;    // cublasLtMatmulPreference_t
using StreamHandle = void*;  // cudaStream_t

enum Status : int { kStatusSuccess = 0, kStatusNotInitialized = 1, kStatusInvalidValue = 7, kStatusNotSupported = 15 };
enum Type : int { kF32 = 0, kBf16 = 14 };                // cudaDataType_t
enum Compute : int { kComputeF32 = 68 };                 // cublasComputeType_t
enum Operation : int32_t { kNone = 0, kTranspose = 1 };  // cublasOperation_t
enum Epilogue : uint32_t { kEpilogueDefault = 1, kEpilogueBias = 4 };
enum MatmulAttribute : int { kTransA = 3, kTransB = 4, kEpilogue = 7, kBiasPointer = 8, kBatchInvariance = 41 };
enum BatchInvariance : int32_t { kBatchInvarianceAlign2 = 1, kBatchInvarianceAlign16 = 4 };
enum PreferenceAttribute : int {
  kMaxWorkspaceBytes = 1,    // uint64
  kReductionSchemeMask = 3,  // uint32
  kMinAlignmentA = 5,        // uint32, bytes; B, C and D follow
  kMinAlignmentB = 6,
  kMinAlignmentC = 7,
  kMinAlignmentD = 8
};
enum ReductionScheme : uint32_t { kReductionNone = 0, kReductionComputeType = 2 };
enum AlgorithmAttribute : int { kAlgorithmId = 0, kTileId = 1, kSplitK = 2, kReductionScheme = 3, kStagesId = 6 };

struct Algorithm {  // cublasLtMatmulAlgo_t
  uint64_t data[8];
};
struct AlgorithmChoice {  // cublasLtMatmulHeuristicResult_t
  Algorithm algorithm;
  size_t workspace_bytes;
  int status;
  float waves;
  int reserved[4];
};

// One member a function of the library, named after what follows "cublasLt".
struct CublasLt {
  int (*create)(Handle*);
  int (*destroy)(Handle);
  size_t (*version)();  // 130200 for 13.2.0
  const char* (*status_name)(int);
  int (*matmul_create)(Matmul*, Compute, Type scale);
  int (*matmul_destroy)(Matmul);
  int (*set_matmul_attribute)(Matmul, MatmulAttribute, const void*, size_t);
  int (*layout_create)(Layout*, Type, uint64_t rows, uint64_t cols, int64_t ld);
  int (*layout_destroy)(Layout);
  int (*preference_create)(Preference*);
  int (*preference_destroy)(Preference);
  int (*set_preference_attribute)(Preference, PreferenceAttribute, const void*, size_t);
  int (*heuristic)(Handle, Matmul, Layout a, Layout b, Layout c, Layout d, Preference, int wanted, AlgorithmChoice*,
                   int* found);
  int (*check)(Handle, Matmul, Layout a, Layout b, Layout c, Layout d, const Algorithm*, AlgorithmChoice*);
  int (*algorithm_attribute)(const Algorithm*, AlgorithmAttribute, void*, size_t, size_t* written);
  int (*matmul)(Handle, Matmul, const void* alpha, const void* a, Layout, const void* b, Layout, const void* beta,
                const void* c, Layout, void* d, Layout, const Algorithm*, void* workspace, size_t workspace_bytes,
                StreamHandle);
  std::string path;  // of the file that was loaded
};

// Loads the library, once a process: a later call returns what the first one loaded. Tries `files` (paths or sonames) in order;
// given none, the file that LIMR_CUBLASLT names, or else libcublasLt.so.13 and .12 where the system's loader looks, in
// $CUDA_HOME/lib64, in /usr/local/cuda*/lib64, and in nvidia/{cu13,cu12,cublas}/lib of a Python environment (VIRTUAL_ENV,
// CONDA_PREFIX, the system's). Throws kPlatform with everything that was tried and why it was not taken, and the command that
// mends it. Defined once more by the host shim.
const CublasLt& load_cublaslt(const std::vector<std::string>& files = {});

}  // namespace limr::cuda::lt
