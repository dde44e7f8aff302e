#include "isocost/verify.h"
