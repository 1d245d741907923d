/*
 * Signals: the server decides when a pyhost ends, also where a supervisor signals every process of
 * a service.
 */
#ifndef HC_PYHOST_SIGNALS_H
#define HC_PYHOST_SIGNALS_H

/* Do nothing on SIGINT and SIGTERM; programs and children that the model starts do not inherit
 * that. */
void hc_signals_shrug_off(void);

#endif
