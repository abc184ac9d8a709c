# limr_cuda.so: the CUDA module, a target of its own that the addon loads at run time.
#   LIMR_CUDA = AUTO  where nvcc is found; ON: its absence is an error; OFF: never
#   CMAKE_CUDA_ARCHITECTURES  what it is compiled for, as CMake writes it
# nvcc is called by rules of our own and not as a language of CMake's: enabling CUDA compiles and links probes for seconds on every
# fresh configuration, and CMake 3.25 knows no C++20 for nvcc 13.

set(LIMR_CUDA AUTO CACHE STRING "Build limr_cuda.so: AUTO where nvcc is found, ON, OFF")
set_property(CACHE LIMR_CUDA PROPERTY STRINGS AUTO ON OFF)
set(CMAKE_CUDA_ARCHITECTURES "80-real;90a-real;90-virtual" CACHE STRING "GPU architectures of limr_cuda.so")
set(LIMR_NVCC "")
if(NOT LIMR_CUDA MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "limr: LIMR_CUDA is ${LIMR_CUDA}; AUTO, ON and OFF are known.")
endif()
if(NOT LIMR_CUDA STREQUAL "OFF")
  file(GLOB LIMR_TOOLKITS /usr/local/cuda-*)
  list(SORT LIMR_TOOLKITS COMPARE NATURAL ORDER DESCENDING)
  find_program(LIMR_NVCC_PROGRAM nvcc HINTS ENV CUDACXX ENV CUDA_HOME PATHS /usr/local/cuda ${LIMR_TOOLKITS} PATH_SUFFIXES bin)
  if(LIMR_NVCC_PROGRAM)
    set(LIMR_NVCC ${LIMR_NVCC_PROGRAM})
  elseif(LIMR_CUDA STREQUAL "ON")
    message(FATAL_ERROR "limr: LIMR_CUDA is ON, but nvcc was not found. Install the CUDA toolkit (12.4 or newer), or set CUDA_HOME.")
  endif()
endif()
if(NOT LIMR_NVCC OR LIMR_SANITIZE OR CMAKE_CROSSCOMPILING)
  return()
endif()

# "90a-real" -> sm_90a machine code, "90-virtual" -> PTX, "90" -> both.
set(LIMR_CUDA_TARGETS "")
foreach(arch IN LISTS CMAKE_CUDA_ARCHITECTURES)
  if(NOT arch MATCHES "^([0-9]+[af]?)(-real|-virtual)?$")
    message(FATAL_ERROR "limr: CMAKE_CUDA_ARCHITECTURES has ${arch}; expected numbers as 90a, 90a-real or 90-virtual.")
  endif()
  set(number ${CMAKE_MATCH_1})
  if(NOT CMAKE_MATCH_2 STREQUAL "-virtual")
    list(APPEND LIMR_CUDA_TARGETS -gencode=arch=compute_${number},code=sm_${number})
  endif()
  if(NOT CMAKE_MATCH_2 STREQUAL "-real")
    list(APPEND LIMR_CUDA_TARGETS -gencode=arch=compute_${number},code=compute_${number})
  endif()
endforeach()

# No contraction, as on the CPU: where a fused multiply-add is meant, the kernel says fmaf, so that sampler and trainer cannot be
# fused differently. A kernel that spills registers does not build.
set(LIMR_NVCC_FLAGS -std=c++20 -O3 -fmad=false -lineinfo ${LIMR_CUDA_TARGETS} -Xptxas=--warn-on-spills,-Werror
  -ccbin=${CMAKE_CXX_COMPILER} -cudart=static -I${CMAKE_CURRENT_SOURCE_DIR}/native
  -Xcompiler=-fPIC,-fvisibility=hidden,-ffp-contract=off,-Wall,-Wextra)
if(LIMR_WERROR)
  list(APPEND LIMR_NVCC_FLAGS -Werror=all-warnings -Xcompiler=-Werror)
endif()

file(GLOB LIMR_CUDA_SOURCES CONFIGURE_DEPENDS native/ops/cuda/*.cu native/ops/cuda/*.cc)
list(FILTER LIMR_CUDA_SOURCES EXCLUDE REGEX "/cublaslt_check\\.cc$")
list(APPEND LIMR_CUDA_SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/native/core/error.cc)
set(LIMR_CUDA_OBJECTS "")
foreach(source IN LISTS LIMR_CUDA_SOURCES)
  get_filename_component(name ${source} NAME)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/cuda/${name}.o)
  file(RELATIVE_PATH shown ${CMAKE_CURRENT_SOURCE_DIR} ${source})
  set(rule ${LIMR_NVCC} ${LIMR_NVCC_FLAGS} -c ${source} -o ${object} -MD -MF ${object}.d)
  add_custom_command(OUTPUT ${object} COMMAND ${rule} DEPENDS ${source} DEPFILE ${object}.d
    COMMENT "nvcc ${shown}" COMMAND_EXPAND_LISTS VERBATIM)
  list(APPEND LIMR_CUDA_OBJECTS ${object})
endforeach()
file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/cuda)

# cmake-js puts the addon into Release/; the module lies beside it.
if(CMAKE_LIBRARY_OUTPUT_DIRECTORY)
  set(LIMR_CUDA_MODULE ${CMAKE_LIBRARY_OUTPUT_DIRECTORY}/limr_cuda.so)
else()
  set(LIMR_CUDA_MODULE ${CMAKE_CURRENT_BINARY_DIR}/limr_cuda.so)
endif()
add_custom_command(OUTPUT ${LIMR_CUDA_MODULE}
  COMMAND ${LIMR_NVCC} ${LIMR_CUDA_TARGETS} -ccbin=${CMAKE_CXX_COMPILER} -cudart=static -shared -o ${LIMR_CUDA_MODULE}
    -Xlinker=--no-undefined,--exclude-libs,ALL ${LIMR_CUDA_OBJECTS} -ldl
  DEPENDS ${LIMR_CUDA_OBJECTS} COMMENT "nvcc limr_cuda.so" VERBATIM)
add_custom_target(limr_cuda DEPENDS ${LIMR_CUDA_MODULE})

# Where cublasLt.h lies, our declarations are compared with it.
find_path(LIMR_CUBLASLT_INCLUDE cublasLt.h HINTS ENV CUDA_HOME PATHS /usr/local/cuda ${LIMR_TOOLKITS} PATH_SUFFIXES include
  NO_DEFAULT_PATH)
if(LIMR_CUBLASLT_INCLUDE)
  get_filename_component(toolkit ${LIMR_NVCC} DIRECTORY)
  add_library(limr_cublaslt_check OBJECT EXCLUDE_FROM_ALL native/ops/cuda/cublaslt_check.cc)
  target_include_directories(limr_cublaslt_check PRIVATE native)
  target_include_directories(limr_cublaslt_check SYSTEM PRIVATE ${LIMR_CUBLASLT_INCLUDE} ${toolkit}/../include)
  add_dependencies(limr_cuda limr_cublaslt_check)
endif()
