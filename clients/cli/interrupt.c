#include "interrupt.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "exit_code.h"
#include "folder.h"

/* One program, one Ctrl-C: the only state of the command line that is not on its stack. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct iso_client_cancel *cancel;
    pid_t child;
    const char *folder;
    bool came, waited_for;
} interrupts = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void fill_set(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
}

void iso_interrupt_block(void)
{
    sigset_t set;

    fill_set(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* With the lock held. */
static _Noreturn void end_program(void)
{
    if (interrupts.child > 0) {
        kill(interrupts.child, SIGKILL);
        waitpid(interrupts.child, NULL, 0);
    }
    if (interrupts.folder)
        iso_folder_remove(interrupts.folder);
    _exit(ISO_EXIT_INTERRUPTED);
}

static void *wait_for_signals(void *unused)
{
    sigset_t set;
    int number;

    fill_set(&set);
    for (;;) {
        if (sigwait(&set, &number) != 0)
            return unused;
        pthread_mutex_lock(&interrupts.lock);
        if (interrupts.came || !(interrupts.cancel || interrupts.waited_for))
            end_program();
        interrupts.came = true;
        if (interrupts.cancel)
            iso_client_cancel_trigger(interrupts.cancel);
        pthread_cond_broadcast(&interrupts.changed);
        pthread_mutex_unlock(&interrupts.lock);
    }
}

bool iso_interrupt_start(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, wait_for_signals, NULL) != 0)
        return false;
    pthread_detach(thread);
    return true;
}

void iso_interrupt_cancel(struct iso_client_cancel *cancel)
{
    pthread_mutex_lock(&interrupts.lock);
    interrupts.cancel = cancel;
    pthread_mutex_unlock(&interrupts.lock);
}

void iso_interrupt_child(pid_t child, const char *folder)
{
    pthread_mutex_lock(&interrupts.lock);
    interrupts.child = child;
    interrupts.folder = folder;
    pthread_mutex_unlock(&interrupts.lock);
}

bool iso_interrupt_came(void)
{
    pthread_mutex_lock(&interrupts.lock);
    bool came = interrupts.came;
    pthread_mutex_unlock(&interrupts.lock);
    return came;
}

void iso_interrupt_wait(pid_t child)
{
    pthread_mutex_lock(&interrupts.lock);
    interrupts.waited_for = true;
    while (!interrupts.came) {
        struct timespec until;
        siginfo_t ended = {0};
        if (waitid(P_PID, (id_t)child, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            ended.si_pid == child)
            break;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec++;
        pthread_cond_timedwait(&interrupts.changed, &interrupts.lock, &until);
    }
    pthread_mutex_unlock(&interrupts.lock);
}
