#include "folder.h"

#include <ftw.h>
#include <stdio.h>

#define OPEN_FOLDERS_MAX 16

static int remove_entry(const char *path, const struct stat *about, int type, struct FTW *place)
{
    (void)about, (void)type, (void)place;
    remove(path);
    return 0;
}

void iso_folder_remove(const char *path)
{
    nftw(path, remove_entry, OPEN_FOLDERS_MAX, FTW_DEPTH | FTW_PHYS);
}
