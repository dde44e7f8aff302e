#include "isocost/proto/money.h"
