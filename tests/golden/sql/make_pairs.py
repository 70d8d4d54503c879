#!/usr/bin/env python3
"""Writes the expressions and the messages of the SQL92 truth table: make_pairs.py EXPRESSIONS MESSAGES. One JSON text a line."""
import json
import random
import sys

# Properties as producers set them; values are texts, names that a message lacks are null.
MESSAGES = [
    {},
    {"a": "1", "b": "2", "c": "3"},
    {"a": "5", "b": "5", "s": "hello"},
    {"a": "-3", "b": "2.5", "s": "Hello", "t": "true"},
    {"a": "10", "b": "1e1", "c": "007", "t": "TRUE"},
    {"a": "x", "b": "y", "s": "it's", "t": "false"},
    {"a": "5000000000", "b": "5000000000", "c": "+7"},
    {"a": "NaN", "b": "Infinity", "c": "-0.0", "s": "5"},
    {"a": " 5 ", "b": "5.0", "c": "0x1.8p1", "s": "a || b"},
    {"b": "7", "s": "ünï 消息", "t": "yes"},
    {"a": "2147483648", "b": "-2147483648", "c": "9223372036854775807", "s": "hel"},
    {"a": "5d", "b": "5f", "c": "5L", "s": "%", "t": "True"},
]

CHOSEN = """a = 5|a <> 5|5 = a|5 <> a|a = 5L|a = 5.0|a = 5.5|a = -3|a = +5|a = --5|a = - -5|-a = 5|-a IS NULL|a = 'x'|'x' = a|a = b|a <> b|b = a|a = a|a <> a
a > 5|a >= 5|a < 5|a <= 5|5 < a|5 > a|a > b|a >= b|a < b|a <= b|a > 1.5|a > 1e0|a > 2147483647|a = 2147483648|a = 5000000000|c = 9223372036854775807|a = 9223372036854775808
a > 'x'|'x' > a|a > TRUE|a > NULL|a = NULL|a <> NULL|NULL = a|NULL IS NULL|NULL IS NOT NULL|5 IS NULL|'x' IS NOT NULL|TRUE IS NULL|(a = 5) IS NULL|(a = 5) IS NOT NULL|a IS NULL|a IS NOT NULL
t = TRUE|t = FALSE|t <> TRUE|TRUE = t|TRUE <> t|t|NOT t|NOT NOT t|t AND a = 5|t OR a = 5|NOT t = TRUE|NOT a = 5|NOT (a = 5)|NOT (a > 5)|NOT (t)|TRUE|FALSE|NULL|NOT TRUE|NOT NULL|TRUE = TRUE|TRUE = FALSE|TRUE <> FALSE|TRUE = 5|5 = TRUE|5 <> TRUE|'true' = TRUE|TRUE = 'true'
5 = 5|5 = 5L|5 = 5.0|5.0 = 5|'5' = 5|5 = '5'|'x' = 5|5 = 'x'|'x' = 'x'|'x' <> 'y'|5 > 3|3 > 5|5.5 > 5|5 > 5.5|5|5.5|'x'|-5|-a|-TRUE|-'x' IS NULL|+a|+5 = 5
a BETWEEN 1 AND 5|a NOT BETWEEN 1 AND 5|a BETWEEN 5 AND 1|a NOT BETWEEN 5 AND 1|a BETWEEN b AND c|a NOT BETWEEN b AND c|a BETWEEN -5 AND 5|a BETWEEN 5 AND -5|a BETWEEN 'a' AND 'b'|a BETWEEN TRUE AND FALSE|a BETWEEN NULL AND 5|5 BETWEEN 1 AND 9|5 BETWEEN a AND b|a BETWEEN 1.5 AND 5.5|a BETWEEN 1 AND|a BETWEEN 1|a BETWEEN 1 OR 2|(a = 5) BETWEEN 1 AND 2|a BETWEEN 1 AND 5 AND b = 2|a BETWEEN 1 AND 5 OR s = 'hello'
a IN ('5', 'x')|a NOT IN ('5', 'x')|s IN ('hello')|s IN ('it''s')|s IN ('a', 'b', 'c', 'd', 'e', 'hello')|s NOT IN ('a', 'b', 'c', 'd', 'e', 'hello')|a IN ()|a IN (5)|a IN ('5'|a IN ('5',)|5 IN ('5')|(a) IN ('5')|+a IN ('5')|-a IN ('5')|NOT a IN ('5')|NOT (a IN ('5'))|a IN ('5') AND b = 5|a NOT 5|a NOT
s CONTAINS 'ell'|s NOT CONTAINS 'ell'|s STARTSWITH 'hel'|s NOT STARTSWITH 'hel'|s ENDSWITH 'llo'|s NOT ENDSWITH 'llo'|s CONTAINS ''|s NOT CONTAINS ''|s STARTSWITH ''|s NOT STARTSWITH ''|s ENDSWITH ''|s NOT ENDSWITH ''|s CONTAINS s|s CONTAINS 5|5 CONTAINS '5'|'abc' CONTAINS 'b'|'abc' NOT CONTAINS 'b'|(a > 5) CONTAINS 'x'|(a > 5) CONTAINS ''|s CONTAINS 'h' CONTAINS 'h'|s CONTAINS 'ünï'|s ENDSWITH '息'|NOT s CONTAINS 'h'|TAGS CONTAINS 'x'|s contains 'ell'|s Not StartsWith 'h'
a = 5 AND b = 5|a = 5 OR b = 5|a = 1 AND b = 2 AND c = 3|a = 1 OR b = 2 AND c = 4|(a = 1 OR b = 2) AND c = 4|a = 5 AND missing = 1|missing = 1 AND a = 5|a = 5 OR missing = 1|missing = 1 OR a = 5|a = 'x' OR b > 5|b > 5 OR a = 'x'|b > 5 AND a = 'x'|a = 'x' AND b > 5|NOT (missing = 1)|missing <> 1|1 <> missing|NOT missing|(a = 5) = TRUE|(a = 5) = (b = 5)|(a = 5) = t|TRUE = (a = 5)|(a = 5) > 1|a > 1 > 2|a = b = c|a <> b <> TRUE|a = 5 = TRUE|a IS NULL IS NULL|a = 1 IS NULL|a AND b|a OR TRUE|TRUE OR a|5 AND a = 5|a = 5 AND 5|'x' OR a = 5
a=5|a  =\t5|a\n=\r\n5|a = 5 -- comment|a = 5 -- comment\n|a = -- comment\n 5|a /* comment */ = /* * / ** */ 5|a = 5 /* open|a = 5 /**/|/* */ a = 5|-- all of it\na = 5|-- all of it
a = 5 foo|a = 5 foo ; bar|a = 5 ;|a = 5;|a = 5)|a = 5) AND (|(a = 5|((a = 5))|()|(a) = 5|((a)) = ((5))|a = 5 5|a = 5 'x'|a = 5 'open|a = 5 !|a != 5|a == 5|a LIKE '5%'|a + 5 = 6|a = 5 + 3|a = 5 * 3|a <= > 5|a < > 5|a > = 5|a => 5|a =< 5
a = 0|a = 00|a = 07|a = 0x5|a = 5l|a = 0l|a = 5.|a = .5|b = 2.5|b = 2.5e0|b = .25e1|b = 25e-1|b = 2.5E+0|b = 2.5f|a = 0.0|a = 00.5|a = 1e400|a = 1e-400|a = 1e308|a = 5e|a = 5e0x|a = 5..5|a . b|a.b = 5
A = 5|_a = 5|$a = 5|a$ = 5|NOTa = 5|NOT a|ANDROID = 5|a AND|a OR|AND a|a = 5 AND NOT b = 2|a = 5 AND NOT (b = 2)|not a is null|a Is NoT nUlL|a IS|a IS 5|a IS NOT|a IS NOT 5|IS NULL|ä = 5|a = ä|'a' = 'a'|'it''s' = s|s = 'it''s'|'''' = ''''|'' = ''|s = ''|s = 'open|s = 'a'b'|s = 'a''|''
|   |=|= 5|a =|a|b|5 =|NOT|-|+|(|)|'|,|a,b|a = 5, b = 2|TRUE AND TRUE|TRUE AND NULL|FALSE AND NULL|NULL AND FALSE|TRUE OR NULL|NULL OR TRUE|FALSE OR NULL|NULL OR NULL|NOT (NULL)|NULL AND TRUE
a = 5 OR a = 'x'|a = 'x' OR a = 5|c < 5|c <= 3|c > a|c = 3|b > c|b = 5.0|b = 5|a >= a|b >= b|c >= c|s = 5|s >= 5|5 <= s|a > -1|a > -1.5|b = -2147483648|b > -2147483649|c = 7|c = -0|c > -1""".replace("\\t", "\t").replace("\\r", "\r")


def operand(rng):
    return rng.choice(["a", "b", "c", "s", "t", "missing", "5", "-3", "2.5", "'5'", "'x'", "7L", "TRUE", "NULL", "-a", "+b", "(c)"])


def expression(rng, depth):
    kind = rng.randrange(11)
    if depth > 0 and kind < 5:
        left, right = expression(rng, depth - 1), expression(rng, depth - 1)
        return [f"{left} AND {right}", f"{left} OR {right}", f"NOT ({left})", f"({left}) = ({right})", f"({left}) OR {right}"][kind]
    left, right, more = operand(rng), operand(rng), operand(rng)
    negation = rng.choice(["", "NOT "])
    return [f"{left} = {right}", f"{left} <> {right}", f"{left} {rng.choice(['>', '>=', '<', '<='])} {right}",
            f"{left} {negation}BETWEEN {right} AND {more}", f"{left} IS {negation}NULL", f"{left} {negation}IN ('5', 'x', 'hello')",
            f"{left} {negation}{rng.choice(['CONTAINS', 'STARTSWITH', 'ENDSWITH'])} '{rng.choice(['5', 'e', 'h', ''])}'",
            f"{left} > {right}", f"{left} = {right}", f"NOT {left}", left][kind]


def main(expressions, messages):
    rng = random.Random(92)
    texts = [text.replace("\\n", "\n") for line in CHOSEN.split("\n") for text in line.split("|")]
    while len(texts) < 900:
        texts.append(expression(rng, rng.randrange(4)))
    with open(expressions, "w", encoding="utf-8") as out:
        out.writelines(json.dumps(text) + "\n" for text in dict.fromkeys(texts))
    with open(messages, "w", encoding="utf-8") as out:
        out.writelines(json.dumps(message) + "\n" for message in MESSAGES)


main(*sys.argv[1:])
