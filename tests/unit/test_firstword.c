/* The first-word check of PROTOCOL.md. */
#include <criterion/criterion.h>
#include <string.h>
#include "document.h"

static const char *const refused[] = {
	"COMMIT", "commit;", " \t\r\n\f;;  CoMmIt AND CHAIN", "/* c */CoMmIt", "/* a /* b */ c */ END", "-- x\nROLLBACK", "--\rABORT",
	"-- BEGIN\n/*x*/--y\n;BEGIN", "START TRANSACTION", "SAVEPOINT a", "RELEASE a", "PREPARE TRANSACTION 'x'", "COPY a FROM STDIN",
	"RESET ALL", "DISCARD ALL", "LISTEN a", "NOTIFY a", "SET search_path = x", "SET SESSION x = 1", "SET ROLE x", "set\n/**/role x",
	"SET \"LOCAL\" = 1", "SET", "SET LOCALE = 1", "END", "BEGIN/**/", "COMMIT--x", "/**/;/**/COMMIT", "SET/*LOCAL*/x TO 1", "SET; LOCAL",
};
static const char *const allowed[] = {
	"", "   ", ";", "-- COMMIT", "/* COMMIT", "/* /* COMMIT */", "SELECT 1", "COMMITS", "\"COMMIT\"", "'COMMIT'", "COMMIT_", "COMMIT1",
	"COMMIT\xc3\xa4", "$$COMMIT$$", "CREATE TABLE begin()", "SET LOCAL x = 1", "set /* */ local x = 1", "SET CONSTRAINTS ALL DEFERRED",
	"-COMMIT", "/COMMIT", "ALTER TABLE x", "(COMMIT)", "DO $$ BEGIN COMMIT; END $$", "DECLARE x", "ENDING",
	"COMMITCOMMITCOMMITCOMMITCOMMITCOMMITCOMMITCOMMITCOMMIT",
};

Test(firstword, refused)
{
	char word[32];
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		cr_assert(document_first_word_refused(refused[i], strlen(refused[i]), word), "%s: %s", refused[i], word);
	cr_assert(document_first_word_refused("/**/ rollback to x", 18, word));
	cr_assert_str_eq(word, "ROLLBACK");
}

Test(firstword, allowed)
{
	char word[32];
	for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
		cr_assert_not(document_first_word_refused(allowed[i], strlen(allowed[i]), word), "%s: %s", allowed[i], word);
}

/* The length counts, not a NUL; nothing behind it is read. */
Test(firstword, length)
{
	char word[32];
	cr_assert_not(document_first_word_refused("COMMIT", 0, word));
	cr_assert_not(document_first_word_refused("COMMIT", 5, word));
	cr_assert(document_first_word_refused("COMMITX", 6, word));
	cr_assert_not(document_first_word_refused("/*", 1, word));
	cr_assert_not(document_first_word_refused("--", 1, word));
}
