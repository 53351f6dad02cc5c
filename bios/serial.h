/* Serial and printer ports. */
#ifndef SPARK_SERIAL_H
#define SPARK_SERIAL_H

void serial_probe(void); /* POST: fills the BDA's port tables and the equipment word */

#endif
