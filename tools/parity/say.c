// SPDX-License-Identifier: GPL-2.0-only
/*
 * The output: tab-separated lines of group, exporter, id, what was done, result.
 * What would break a line, or is no text, is escaped.
 */

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parity.h"
#include "say.h"

const char *say_group, *say_subject;

static void put_escaped(const char *s)
{
	for (; *s; s++) {
		unsigned char c = *s;

		if (c == '\\')
			fputs("\\\\", stdout);
		else if (c == '\n')
			fputs("\\n", stdout);
		else if (c == '\t')
			fputs("\\t", stdout);
		else if (c < ' ' || c > '~')
			printf("\\x%02x", c);
		else
			putchar(c);
	}
}

void say(const char *id, const char *what, const char *fmt, ...)
{
	char *result;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&result, fmt, args) < 0)
		abort();
	va_end(args);
	printf("%s\t%s\t%s\t%s\t", say_group, say_subject, id, what);
	put_escaped(result);
	putchar('\n');
	fflush(stdout);
	free(result);
}

void say_ret(const char *id, const char *what, long ret)
{
	say(id, what, "%s", answer(ret));
}

const char *text(const char *fmt, ...)
{
	static char ring[16][4096];
	static unsigned int next;
	char *at = ring[next++ % N(ring)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(at, sizeof(ring[0]), fmt, args);
	va_end(args);
	return at;
}

const char *answer(long ret)
{
	const char *name;

	if (ret >= 0)
		return text("%ld", ret);
	name = strerrorname_np(-ret);
	return name ?: text("errno %ld", -ret);
}

const char *told_by(uint64_t value, uint64_t size)
{
	if (value == size)
		return "size";
	if (value == size / 512)
		return "size/512";
	if (value && value % size == 0)
		return text("%llu*size", (unsigned long long)(value / size));
	return text("%llu", (unsigned long long)value);
}

static void ranges_flush(struct ranges *r)
{
	char *more;
	int len;

	if (!r->result[0])
		return;
	if (r->first == r->last)
		len = asprintf(&more, "%s%s%ld: %s", r->text ?: "",
			       r->text ? ", " : "", r->first, r->result);
	else
		len = asprintf(&more, "%s%s%ld-%ld: %s", r->text ?: "",
			       r->text ? ", " : "", r->first, r->last,
			       r->result);
	if (len < 0)
		abort();
	free(r->text);
	r->text = more;
	r->result[0] = 0;
}

void ranges_add(struct ranges *r, long at, const char *result)
{
	if (r->result[0] && at == r->last + 1 && !strcmp(r->result, result)) {
		r->last = at;
		return;
	}
	ranges_flush(r);
	r->first = at;
	r->last = at;
	snprintf(r->result, sizeof(r->result), "%s", result);
}

const char *ranges_end(struct ranges *r)
{
	const char *all;

	ranges_flush(r);
	all = text("%s", r->text ?: "none");
	free(r->text);
	r->text = NULL;
	return all;
}

void list_add(struct list *l, const char *name, const char *result)
{
	size_t len = strlen(l->text);

	snprintf(l->text + len, sizeof(l->text) - len, "%s%s %s",
		 len ? ", " : "", name, result);
}
