/* The statement splitter and classifier: every statement is a piece of its file, in order, and knows its line. */
#include "arena.h"
#include "fuzz.h"
#include "statement.h"

static int line_at(const char *text, size_t offset)
{
	int line = 1;
	for (size_t i = 0; i < offset; i++)
		line += text[i] == '\n';
	return line;
}

static void check_statement(struct arena *arena, const char *text, size_t size, const struct sql_statement *statement)
{
	struct err err = ERR_INIT;
	const char *local;
	FUZZ_HOLDS(statement->offset <= size && statement->len <= size - statement->offset && statement->len > 0);
	FUZZ_HOLDS(memcmp(statement->text, text + statement->offset, statement->len) == 0);
	FUZZ_HOLDS(statement->line == line_at(text, statement->offset) && statement->end_line >= statement->line);
	for (size_t i = 0; i < statement->objects; i++)
		FUZZ_HOLDS(statement->object[i].name);
	for (size_t i = 0; i < statement->bodies; i++)
		statement_mentions(statement->body[i], "users");
	if (statement->category == SQL_SET && !statement->set_local && statement_set_local(arena, statement, &local, &err))
		FUZZ_HOLDS(err.code != ERR_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct arena *arena = arena_new(256u << 20);
	struct err err = ERR_INIT;
	struct sql_file *file = NULL;
	size_t end = 0;
	FUZZ_HOLDS(arena);
	if (!statement_parse_file(arena, "1_x.up.sql", text, size, 1, &file, &err))
		for (size_t i = 0; i < file->statements; i++) {
			check_statement(arena, text, size, &file->statement[i]);
			FUZZ_HOLDS(file->statement[i].offset >= end);
			end = file->statement[i].offset + file->statement[i].len;
		}
	arena_free(arena);
	free(text);
	return 0;
}
