/* isocost: the command line. */
#include <stdlib.h>
#include <unistd.h>

#include "command.h"
#include "interrupt.h"
#include "table.h"

#define ARENA_BYTES_MAX ((size_t)2 << 30)

static const char *environment(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

int main(int argc, char **argv)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(ARENA_BYTES_MAX);
    struct iso_cli cli = {
        .out = stdout,
        .err = stderr,
        .arena = arena,
        .color = isatty(STDOUT_FILENO) && !environment("NO_COLOR"),
        .address = environment("ISOCOST_ADDRESS"),
        .project = environment("ISOCOST_PROJECT"),
    };

    iso_table_use_utf8();
    iso_interrupt_block();
    if (!arena || !iso_interrupt_start()) {
        fputs("isocost: out of memory\n", stderr);
        return ISO_EXIT_OTHER;
    }
    enum iso_exit_code code = iso_command_run(&cli, argc, argv);
    iso_client_free(cli.client);
    if (fflush(stdout) != 0 && code == ISO_EXIT_OK) {
        perror("isocost: standard output");
        code = ISO_EXIT_OTHER;
    }
    return code;
}
