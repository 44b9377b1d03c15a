/* pgdocket.conf, as a bundle carries it. */
#include "conf.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct err err = ERR_INIT;
	struct conf *conf = NULL;
	if (!conf_parse("pgdocket.conf", text, size, &conf, &err)) {
		FUZZ_HOLDS(conf->label && conf->waves >= 1 && !conf->tenants_query != !conf->tenants_pattern);
		conf_free(conf);
	} else {
		FUZZ_HOLDS(err.code == ERR_CONFIG || err.code == ERR_LIMIT);
	}
	free(text);
	return 0;
}
