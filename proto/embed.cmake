# Writes the bytes of INPUT as a C array to OUTPUT.
file(READ ${INPUT} hex HEX)
string(LENGTH "${hex}" digits)
math(EXPR n_bytes "${digits} / 2")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
file(WRITE ${OUTPUT} "#include \"isocost/proto/descriptor_set.h\"

const unsigned char iso_descriptor_set[] = {${bytes}};
const size_t iso_descriptor_set_bytes = ${n_bytes};
")
