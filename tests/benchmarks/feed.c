/* Sends large request bodies as fast as the machine does, and says what came back. Compiled and driven by feeder.py.
 *
 *     feed HOST PORT CONNECTIONS SIZE < heads > answers
 *
 * heads: one complete request head a request, each ended by a NUL. Every body is SIZE bytes of the same block over and over (see block()).
 * answers: a line for each request, `number status bytes-sent microseconds location`, then `total microseconds`.
 * A connection is kept while the server keeps it. A status of 0: no answer came.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 1 << 20, ANSWER = 1 << 16, REQUESTS = 1 << 16 };

static unsigned char block[BLOCK];
static const char *heads[REQUESTS];
static int count, next_head;
static long long size;
static struct addrinfo *place;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

/* The bytes of the block: xorshift64 from 1, eight bytes a step, little-endian. feeder.py makes the same. */
static void fill(void) {
    uint64_t x = 1;
    for (int i = 0; i < BLOCK; i += 8) {
        x ^= x << 13; x ^= x >> 7; x ^= x << 17;
        memcpy(block + i, &x, 8);
    }
}

static int dial(void) {
    int s = socket(place->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    if (s < 0 || connect(s, place->ai_addr, place->ai_addrlen) < 0) { perror("connect"); exit(1); }
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return s;
}

static int all(int s, const void *from, size_t length) {
    const char *at = from;
    while (length) {
        ssize_t sent = send(s, at, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return 0;
        at += sent; length -= sent;
    }
    return 1;
}

static long long body(int s) {
    long long sent = 0;
    while (sent < size) {
        size_t some = size - sent < BLOCK ? size - sent : BLOCK;
        if (!all(s, block, some)) break;
        sent += some;
    }
    return sent;
}

/* One final answer, its body thrown away. Returns the status; `*keep`: whether the connection lives on. */
static int answer(int s, char *location, size_t room, int *keep) {
    static __thread char text[ANSWER + 1];
    size_t have = 0;
    char *end;
    *keep = 0;
    location[0] = 0;
    for (;;) {
        text[have] = 0;
        if ((end = strstr(text, "\r\n\r\n"))) {
            if (atoi(text + 9) >= 200) break;
            have -= end + 4 - text;
            memmove(text, end + 4, have);
            continue;
        }
        ssize_t got = have < ANSWER ? recv(s, text + have, ANSWER - have, 0) : 0;
        if (got <= 0) return 0;
        have += got;
    }
    *end = 0;
    long long left = 0, close = 0, known = 0;
    int status = atoi(text + 9);
    for (char *line = strstr(text, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
        if (!strncasecmp(line + 2, "content-length:", 15)) left = atoll(line + 17), known = 1;
        if (!strncasecmp(line + 2, "connection: close", 17)) close = 1;
        if (!strncasecmp(line + 2, "location:", 9)) {
            const char *from = line + 11 + strspn(line + 11, " ");
            snprintf(location, room, "%.*s", (int)strcspn(from, "\r\n"), from);
        }
    }
    left -= (long long)have - (end + 4 - text);
    while (left > 0) {
        ssize_t got = recv(s, text, left < ANSWER ? left : ANSWER, 0);
        if (got <= 0) return status;
        left -= got;
    }
    *keep = !close && (known || status == 204 || status == 304);
    return status;
}

static void *connection(void *unused) {
    (void)unused;
    char location[2048];
    int s = -1, keep = 0;
    for (;;) {
        pthread_mutex_lock(&lock);
        int mine = next_head < count ? next_head++ : -1;
        pthread_mutex_unlock(&lock);
        if (mine < 0) break;
        double began = now();
        if (!keep) { if (s >= 0) close(s); s = dial(); }
        long long sent = all(s, heads[mine], strlen(heads[mine])) ? body(s) : 0;
        int status = answer(s, location, sizeof location, &keep);
        pthread_mutex_lock(&lock);
        printf("%d %d %lld %.0f %s\n", mine, status, sent, now() - began, location);
        pthread_mutex_unlock(&lock);
    }
    if (s >= 0) close(s);
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 5) { fprintf(stderr, "usage: feed HOST PORT CONNECTIONS SIZE < heads\n"); return 2; }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    if (getaddrinfo(argv[1], argv[2], &hints, &place)) { fprintf(stderr, "no such place\n"); return 1; }
    int connections = atoi(argv[3]);
    size = atoll(argv[4]);
    fill();
    char *head = NULL;
    size_t room = 0;
    while (count < REQUESTS && getdelim(&head, &room, 0, stdin) > 0) { heads[count++] = head; head = NULL; room = 0; }
    pthread_t threads[connections];
    double began = now();
    for (int i = 0; i < connections; i++) if (pthread_create(&threads[i], NULL, connection, NULL)) return 1;
    for (int i = 0; i < connections; i++) pthread_join(threads[i], NULL);
    printf("total %.0f\n", now() - began);
    return 0;
}
