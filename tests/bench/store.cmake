# What `./dev bench store` runs.
add_executable(store_writes bench/store_writes.c)
target_link_libraries(store_writes PRIVATE isocost::defaults isocost::store Threads::Threads)
set_target_properties(store_writes PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/bench)
