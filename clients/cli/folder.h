/* Temporary folders. */
#ifndef ISOCOST_CLI_FOLDER_H
#define ISOCOST_CLI_FOLDER_H

/* Removes a folder and what is in it; links are removed, not followed. */
void iso_folder_remove(const char *path);

#endif
