/*
 * Waiting to be forked: a process that has imported what its children need, so that they start in
 * milliseconds and share the memory of it.
 *
 * Python's hooks run before and after each fork as they do for os.fork(). Children start with
 * random generators seeded anew.
 */
#ifndef HC_PYHOST_ZYGOTE_H
#define HC_PYHOST_ZYGOTE_H

/*
 * Fork whenever the server asks. Returns in each child, which talks to the server over a socket of
 * its own (talk.h) and leads a process group; the process itself ends here, with the server.
 */
void hc_zygote_run(void);

#endif
