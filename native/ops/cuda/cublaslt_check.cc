// Compares what cublaslt.h declares with NVIDIA's own header, at compile time. Compiled wherever that header is found; has no code.
#include <cublasLt.h>

#include <cstddef>
#include <type_traits>

#include "ops/cuda/cublaslt.h"

namespace limr::cuda::lt {
namespace {

#define LIMR_SAME(ours, theirs) static_assert(int64_t(ours) == int64_t(theirs))

LIMR_SAME(kStatusSuccess, CUBLAS_STATUS_SUCCESS);
LIMR_SAME(kStatusNotInitialized, CUBLAS_STATUS_NOT_INITIALIZED);
LIMR_SAME(kStatusInvalidValue, CUBLAS_STATUS_INVALID_VALUE);
LIMR_SAME(kStatusNotSupported, CUBLAS_STATUS_NOT_SUPPORTED);
LIMR_SAME(kF32, CUDA_R_32F);
LIMR_SAME(kBf16, CUDA_R_16BF);
LIMR_SAME(kComputeF32, CUBLAS_COMPUTE_32F);
LIMR_SAME(kNone, CUBLAS_OP_N);
LIMR_SAME(kTranspose, CUBLAS_OP_T);
LIMR_SAME(kEpilogueDefault, CUBLASLT_EPILOGUE_DEFAULT);
LIMR_SAME(kEpilogueBias, CUBLASLT_EPILOGUE_BIAS);
LIMR_SAME(kTransA, CUBLASLT_MATMUL_DESC_TRANSA);
LIMR_SAME(kTransB, CUBLASLT_MATMUL_DESC_TRANSB);
LIMR_SAME(kEpilogue, CUBLASLT_MATMUL_DESC_EPILOGUE);
LIMR_SAME(kBiasPointer, CUBLASLT_MATMUL_DESC_BIAS_POINTER);
#if CUBLAS_VERSION >= 131000  // newer than CUDA 13.0's
LIMR_SAME(kBatchInvariance, CUBLASLT_MATMUL_DESC_BATCH_INVARIANCE_FLAGS);
LIMR_SAME(kBatchInvarianceAlign2, CUBLASLT_BATCH_INVARIANCE_ALIGN_2B);
LIMR_SAME(kBatchInvarianceAlign16, CUBLASLT_BATCH_INVARIANCE_ALIGN_16B);
static_assert(sizeof(BatchInvariance) == sizeof(cublasLtMatmulBatchInvarianceFlags_t));
#endif
LIMR_SAME(kMaxWorkspaceBytes, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES);
LIMR_SAME(kReductionSchemeMask, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK);
LIMR_SAME(kMinAlignmentA, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES);
LIMR_SAME(kMinAlignmentB, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES);
LIMR_SAME(kMinAlignmentC, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES);
LIMR_SAME(kMinAlignmentD, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES);
LIMR_SAME(kReductionNone, CUBLASLT_REDUCTION_SCHEME_NONE);
LIMR_SAME(kReductionComputeType, CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE);
LIMR_SAME(kAlgorithmId, CUBLASLT_ALGO_CONFIG_ID);
LIMR_SAME(kTileId, CUBLASLT_ALGO_CONFIG_TILE_ID);
LIMR_SAME(kSplitK, CUBLASLT_ALGO_CONFIG_SPLITK_NUM);
LIMR_SAME(kReductionScheme, CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME);
LIMR_SAME(kStagesId, CUBLASLT_ALGO_CONFIG_STAGES_ID);

static_assert(sizeof(Algorithm) == sizeof(cublasLtMatmulAlgo_t));
static_assert(sizeof(AlgorithmChoice) == sizeof(cublasLtMatmulHeuristicResult_t));
static_assert(offsetof(AlgorithmChoice, workspace_bytes) == offsetof(cublasLtMatmulHeuristicResult_t, workspaceSize));
static_assert(offsetof(AlgorithmChoice, status) == offsetof(cublasLtMatmulHeuristicResult_t, state));
static_assert(offsetof(AlgorithmChoice, waves) == offsetof(cublasLtMatmulHeuristicResult_t, wavesCount));
static_assert(sizeof(Type) == sizeof(cudaDataType) && sizeof(Compute) == sizeof(cublasComputeType_t));
static_assert(sizeof(MatmulAttribute) == sizeof(cublasLtMatmulDescAttributes_t));
static_assert(sizeof(Operation) == sizeof(cublasOperation_t) && sizeof(Epilogue) == sizeof(cublasLtEpilogue_t));

// Functions: as many parameters, each of the same size and kind (integer or pointer) as theirs.
template <typename T>
constexpr int kind = std::is_pointer_v<T>                         ? 1
                     : std::is_integral_v<T> || std::is_enum_v<T> ? 2
                                                                  : 3;
template <typename A, typename B>
constexpr bool same = false;
template <typename R, typename... A, typename S, typename... B>
  requires(sizeof...(A) == sizeof...(B))
constexpr bool same<R (*)(A...), S (*)(B...)> = sizeof(R) == sizeof(S) && kind<R> == kind<S> &&
                                                ((sizeof(A) == sizeof(B) && kind<A> == kind<B>)&&...);
#define LIMR_SAME_CALL(member, theirs) static_assert(same<decltype(CublasLt::member), decltype(&theirs)>)

LIMR_SAME_CALL(create, cublasLtCreate);
LIMR_SAME_CALL(destroy, cublasLtDestroy);
LIMR_SAME_CALL(version, cublasLtGetVersion);
LIMR_SAME_CALL(status_name, cublasLtGetStatusName);
LIMR_SAME_CALL(matmul_create, cublasLtMatmulDescCreate);
LIMR_SAME_CALL(matmul_destroy, cublasLtMatmulDescDestroy);
LIMR_SAME_CALL(set_matmul_attribute, cublasLtMatmulDescSetAttribute);
LIMR_SAME_CALL(layout_create, cublasLtMatrixLayoutCreate);
LIMR_SAME_CALL(layout_destroy, cublasLtMatrixLayoutDestroy);
LIMR_SAME_CALL(preference_create, cublasLtMatmulPreferenceCreate);
LIMR_SAME_CALL(preference_destroy, cublasLtMatmulPreferenceDestroy);
LIMR_SAME_CALL(set_preference_attribute, cublasLtMatmulPreferenceSetAttribute);
LIMR_SAME_CALL(heuristic, cublasLtMatmulAlgoGetHeuristic);
LIMR_SAME_CALL(check, cublasLtMatmulAlgoCheck);
LIMR_SAME_CALL(algorithm_attribute, cublasLtMatmulAlgoConfigGetAttribute);
LIMR_SAME_CALL(matmul, cublasLtMatmul);

}  // namespace
}  // namespace limr::cuda::lt
