# limr_cuda_shim.so: the CUDA module's own sources, compiled for the host (test/cuda/shim). For tests alone; never installed.
set(LIMR_SHIM_DIR ${CMAKE_CURRENT_SOURCE_DIR}/test/cuda/shim)
set(LIMR_SHIM_WARNINGS -Wall -Wextra -Wno-unknown-pragmas)

# The scheduler, without -fsanitize=thread: what it does with its own memory is not what a race is looked for in.
file(GLOB LIMR_SHIM_SOURCES CONFIGURE_DEPENDS ${LIMR_SHIM_DIR}/*.cc)
add_library(limr_shim_runtime OBJECT EXCLUDE_FROM_ALL ${LIMR_SHIM_SOURCES})
target_include_directories(limr_shim_runtime PRIVATE ${LIMR_SHIM_DIR} native)
target_compile_options(limr_shim_runtime PRIVATE -O2)
if(LIMR_SANITIZE MATCHES "thread")
  target_compile_options(limr_shim_runtime PRIVATE -fno-sanitize=thread)
  target_compile_definitions(limr_shim_runtime PRIVATE LIMR_SHIM_TSAN)
endif()

# Kernels read and write shared memory under several types, as nvcc lets them.
function(limr_shim_kernels target)
  target_include_directories(${target} BEFORE PRIVATE ${LIMR_SHIM_DIR} native)
  target_compile_options(${target} PRIVATE -O2 -fno-strict-aliasing ${LIMR_SHIM_WARNINGS})
  get_target_property(sources ${target} SOURCES)
  list(FILTER sources INCLUDE REGEX "\\.cu$")
  set_source_files_properties(${sources} PROPERTIES LANGUAGE CXX)
  target_link_libraries(${target} PRIVATE limr_shim_runtime Threads::Threads)
endfunction()

file(GLOB LIMR_CUDA_MODULE_SOURCES CONFIGURE_DEPENDS native/ops/cuda/*.cu native/ops/cuda/*.cc)
list(FILTER LIMR_CUDA_MODULE_SOURCES EXCLUDE REGEX "/cublaslt[^/]*\\.cc$")
add_library(limr_cuda_shim MODULE EXCLUDE_FROM_ALL ${LIMR_CUDA_MODULE_SOURCES} native/core/error.cc)
set_target_properties(limr_cuda_shim PROPERTIES PREFIX "")
limr_shim_kernels(limr_cuda_shim)
if(NOT LIMR_SANITIZE)
  target_link_options(limr_cuda_shim PRIVATE -Wl,-z,defs)
endif()

# limr_cuda_test: every op of the module against the references. Runs on the shim, or on the module that LIMR_CUDA_MODULE names.
file(GLOB LIMR_CUDA_TEST_SOURCES CONFIGURE_DEPENDS test/cuda/*.cc)
add_executable(limr_cuda_test EXCLUDE_FROM_ALL ${LIMR_CUDA_TEST_SOURCES} test/native/main.cc test/native/ops/fixture.cc
  test/native/ops/attention_fixture.cc)
target_include_directories(limr_cuda_test PRIVATE test/cuda test/native)
target_compile_definitions(limr_cuda_test PRIVATE LIMR_CUDA_SHIM_MODULE="$<TARGET_FILE:limr_cuda_shim>")
target_link_libraries(limr_cuda_test PRIVATE limr_core ${CMAKE_DL_LIBS})
add_dependencies(limr_cuda_test limr_cuda_shim)

# Kernels with bugs, which the shim must find.
add_executable(limr_shim_planted EXCLUDE_FROM_ALL test/cuda/planted/planted.cu)
limr_shim_kernels(limr_shim_planted)
target_compile_definitions(limr_cuda_test PRIVATE LIMR_SHIM_PLANTED="$<TARGET_FILE:limr_shim_planted>")
add_dependencies(limr_cuda_test limr_shim_planted)
