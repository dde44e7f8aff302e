/* Runs a fuzz target over every file of the given folders, where there is no libFuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t size = 0, capacity = 1 << 20;
    uint8_t *data = malloc(capacity);

    if (!file || !data) {
        perror(path);
        exit(1);
    }
    for (size_t n; (n = fread(data + size, 1, capacity - size, file)) > 0;) {
        size += n;
        if (size < capacity)
            continue;
        capacity *= 2;
        data = realloc(data, capacity);
        if (!data)
            abort();
    }
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

static int replay_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    int n_files = 0;

    if (!dir) {
        perror(folder);
        exit(1);
    }
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        replay_file(path);
        n_files++;
    }
    closedir(dir);
    return n_files;
}

int main(int argc, char **argv)
{
    int n_files = 0;

    for (int i = 1; i < argc; i++)
        n_files += replay_folder(argv[i]);
    printf("%d files\n", n_files);
    return n_files > 0 ? 0 : 1;
}
