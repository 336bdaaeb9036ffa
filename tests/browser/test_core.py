"""What of the client needs no browser: checksums, the pace of parts, the figures of progress, turns."""

import base64
import json
import re
import subprocess
from typing import Any

from awscrt import checksums

from tests.browser.parts import crc64nvme
from tests.browser.test_package import PACKAGE, STATIC, node

RUN = """
import * as languages from './src/languages.js';
import { UploadError } from './src/errors.js';
import { FIELD_TEXTS } from './src/field-texts.js';
import { TEXTS } from './src/texts.js';
import { readFileSync } from 'node:fs';
import * as checksum from './src/checksum.js';
import { Pace } from './src/pace.js';
import { onlyForwards } from './src/progress.js';
import { Queue } from './src/queue.js';
import { readableSize, say } from './src/texts.js';
const run = async () => { BODY };
console.log(JSON.stringify(await run()));
"""


def run(body: str) -> Any:
    """What the body of a function returns that sees the client's modules."""
    command = [node(), "--input-type=module", "--eval", RUN.replace("BODY", body)]
    finished = subprocess.run(command, cwd=PACKAGE, capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stderr) == (0, "")
    return json.loads(finished.stdout)


class TestChecksums:
    READ = """
      const read = async (blob) => checksum.base64(await checksum.checksumOf(blob));
    """

    def test_are_those_of_s3(self) -> None:
        """The check value of CRC-64/NVME is ae8b14860a799888."""
        value = "(await checksum.checksumOf(new Blob(['123456789']))).toString(16)"
        assert run(f"{self.READ} return {value}") == "ae8b14860a799888"
        assert crc64nvme(b"123456789") == "rosUhgp5mIg="

    def test_of_contents_of_any_length(self) -> None:
        """They are read 4 MiB at a time."""
        step = 4 * 2**20
        lengths = [0, 1, 7, 8, 9, 63, 64, 65, 1000, step - 1, step, step + 9]
        blobs = f"{lengths}.map((length) => read(new Blob([new Uint8Array(length).map((_, at) => at * 7)])))"
        contents = bytes(at * 7 % 256 for at in range(256)) * (step // 256 + 1)
        assert run(f"{self.READ} return Promise.all({blobs})") == [
            base64.b64encode(checksums.crc64nvme(contents[:length]).to_bytes(8)).decode() for length in lengths
        ]

    def test_of_parts_combine_into_that_of_the_whole(self) -> None:
        body = """
          const whole = new Blob([new Uint8Array(5000).map((_, at) => at * 7)]);
          const parts = [];
          for (let at = 0; at < 5000; at += 1024) {
            const part = whole.slice(at, at + 1024);
            parts.push({ checksum: await checksum.checksumOf(part), size: part.size });
          }
          return [checksum.base64(checksum.combine(parts)), await read(whole)];
        """
        expected = crc64nvme(bytes(at * 7 % 256 for at in range(5000)))
        assert run(self.READ + body) == [expected, expected]

    def test_of_no_parts_and_of_huge_ones(self) -> None:
        """A terabyte of zeros before the rest: only its length counts."""
        body = """
          return [checksum.base64(checksum.combine([])),
            checksum.combine([{ checksum: 5n, size: 1 }, { checksum: 0n, size: 2 ** 40 }]) !== 5n];
        """
        assert run(body) == ["AAAAAAAAAAA=", True]


def test_the_pace_is_halved_by_trouble_and_recovers_slowly() -> None:
    body = """
      const pace = new Pace();
      const seen = [pace.most];
      for (let trouble = 0; trouble < 3; trouble++) { pace.slower(); seen.push(pace.most); }
      for (let part = 1; part <= 32; part++) { pace.wentWell(); if (part % 8 === 0) seen.push(pace.most); }
      return seen;
    """
    assert run(body) == [4, 2, 1, 1, 2, 3, 4, 4]


class TestProgress:
    def test_has_one_figure_with_speed_and_time_left(self) -> None:
        body = """
          const seen = [];
          const said = [];
          let time = 0;
          const tell = onlyForwards(1000, ({ loaded, speed, remaining }) => seen.push([loaded, speed, remaining]),
            (key) => said.push(key), () => time);
          const sent = [[0, 0], [1000, 100], [2000, 200], [2100, 50], [3100, 250]];
          for (const [at, loaded] of sent) { time = at; tell(loaded); }
          return [seen, said];
        """
        seen, said = run(body)
        assert seen == [[0, 0, None], [100, 100, 9], [200, 100, 8], [200, 100, 8], [250, 125, 6]]
        assert said == ["catchingUp", ""]


def test_turns_are_taken_in_order_and_given_up_by_whoever_leaves() -> None:
    body = """
      const queue = new Queue(2);
      const order = [];
      const { signal } = new AbortController();
      const leaver = new AbortController();
      const enter = (name, own = signal) => new Promise((entered) => {
        const stay = () => new Promise((leave) => { order.push(name); entered(leave); });
        queue.through(own, stay).catch(() => { order.push(`${name} left`); entered(); });
      });
      const [first, second] = await Promise.all([enter('a'), enter('b')]);
      const rest = [enter('c'), enter('d', leaver.signal), enter('e')];
      leaver.abort();
      first();
      second();
      await Promise.all(rest);
      return order;
    """
    assert run(body) == ["a", "b", "d left", "c", "e"]


class TestTexts:
    def test_are_all_there_in_each_language_with_the_same_values(self) -> None:
        body = """
          const english = { ...TEXTS, ...FIELD_TEXTS };
          const valuesOf = (text) => (text.match(/{\\w+}/g) ?? []).sort();
          const values = (texts) => Object.keys(texts).sort().map((key) => [key, valuesOf(texts[key])]);
          return [Object.keys(languages).sort(), values(english), ...Object.values(languages).map(values)];
        """
        names, english, *others = run(body)
        assert names == ["de", "fr"]
        refusals = {key for key, _ in others[0]} - {key for key, _ in english}
        assert all(key.startswith("refused_") for key in refusals)
        assert others == [sorted([*english, *([key, []] for key in refusals)])] * 2
        assert ["tooMany", ["{count}", "{names}"]] in english

    def test_of_the_pages_are_all_there_too(self) -> None:
        """In English what a page says from the start is in its HTML. No key has a meaning for the client as well."""
        web = STATIC / "web"
        html = (web / "index.html").read_text() + (web / "files.html").read_text()
        in_html = set(re.findall(r'data-(?:text|label)="(\w+)"', html))
        # Node.js takes them for something else than modules, browsers do not.
        body = """
          const valuesOf = (text) => (text.match(/{\\w+}/g) ?? []).sort();
          const values = (texts) => Object.fromEntries(Object.keys(texts).map((key) => [key, valuesOf(texts[key])]));
          const sources = ['texts', 'texts-de', 'texts-fr'].map((name) => readFileSync(`../web/${name}.js`, 'utf8'));
          const modules = sources.map((source) => import(`data:text/javascript,${encodeURIComponent(source)}`));
          const ofPages = (await Promise.all(modules)).flatMap((module) => Object.values(module));
          return [...ofPages, { ...TEXTS, ...FIELD_TEXTS }].map(values);
        """
        english, *others, client = run(body)
        expected = {key: [] for key in in_html} | english
        assert others == [expected, expected]
        assert not expected.keys() & client.keys()

    def test_have_sizes_of_one_form(self) -> None:
        sizes = [0, 1, 1023, 1024, 1536, 10_000_000, 5 * 1024**3, 3 * 1024**4, 5000 * 1024**4]
        assert run(f"return {sizes}.map((size) => readableSize(size))") == [
            "0 bytes", "1 byte", "1,023 bytes", "1 KB", "1.5 KB", "9.54 MB", "5 GB", "3 TB", "5,000 TB",
        ]  # fmt: skip
        french = "[0, 1, 2, 10_000_000].map((size) => readableSize(size, languages.fr))"
        assert run(f"return {french}") == ["0 octet", "1 octet", "2 octets", "9,54 Mo"]

    def test_say_what_the_service_refuses_in_their_own_words(self) -> None:
        """In English it says so itself, by code or by property, and nothing is lost where there are no own words."""
        body = """
          const refusal = (code, path, words) =>
            new UploadError('serviceRefusal', { words, status: 400, code, answer: { errors: path && [{ path }] } });
          const all = [
            refusal('invalid_body', '/name', 'Too long.'),
            refusal('invalid_body', '/size', 'No size.'),
            refusal('file_too_large', undefined, 'At most 5.'),
            refusal('brand_new', undefined, 'Not today.'),
          ];
          return [{}, languages.de].map((texts) => all.map((error) => error.translate(texts).message));
        """
        english, german = run(body)
        assert english == ["Too long.", "No size.", "At most 5.", "Not today."]
        assert german[1::2] == ["No size.", "Not today."]
        assert german[0].startswith("Mit diesem Namen")
        assert german[2].startswith("Die Datei ist größer")

    def test_have_numbers_as_their_language_writes_them(self) -> None:
        body = """
          const texts = { ...languages.de, tooMany: '{count} {names}' };
          return [say('tooLarge', { size: 1536 }, texts), say('tooMany', { count: 1234, names: '5.5' }, texts)];
        """
        assert run(body) == ["Zu groß: Eine Datei darf bis zu 1,5 KB haben.", "1.234 5.5"]
