/*
 * The service thread: ends this process and its children when the server is gone.
 *
 * It waits for the end of the control socket and needs no GIL, so it works whatever the model does.
 */
#ifndef HC_PYHOST_SERVICE_H
#define HC_PYHOST_SERVICE_H

/* Start it. This process must lead its process group, which is what will be killed. */
void hc_service_start(int control);

/* The thread's id as /proc has it. */
int hc_service_thread(void);

#endif
