package send

import (
	"bytes"
	"html"
	"mime"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// escape is a way of writing single characters or bytes differently.
type escape struct {
	sign  byte   // without which no text has one
	marks string // bytes that one begins with
	// read appends the meaning of the escape that the text begins with, and
	// returns how many bytes it takes: 0 when it is not an escape, and -1 when
	// it could be one if the text went on.
	read func(out, text []byte) ([]byte, int)
}

const longestEscape = 100 // bytes, of which a word of MIME may have 75

// escapes are undone one kind at a time, since an encoder of one kind leaves
// the marks of the others as they are.
var escapes = []escape{
	{'\\', `\`, readBackslash},
	{'%', "%", readPercent},
	{'+', "+%", readForm},
	{'&', "&", readEntity},
	{'=', "=", readQuotedPrintable},
	{'=', "=", readEncodedWord},
	{'"', `"`, readDoubledQuote},
	{'\'', "'", readDoubledQuote},
	{0, "\x00", func(out, _ []byte) ([]byte, int) { return out, 1 }}, // in UTF-16
	{0xef, "\xef", readReplacement},
}

// next is where the next mark is, or the length of the text.
func (e escape) next(text []byte, at int) int {
	i := bytes.IndexByte(text[at:], e.marks[0])
	if len(e.marks) > 1 {
		i = bytes.IndexAny(text[at:], e.marks)
	}
	if i < 0 {
		return len(text)
	}
	return at + i
}

// undoEscapes searches the last view, decoded, around the escapes of a kind.
// Text further than reach from any of them is unchanged, so it is left out.
func (f *search) undoEscapes(e escape, reach int) {
	v := f.views[len(f.views)-1]
	w := newWindow(f)
	end, stop := 0, len(v.text) // of the last escape, and of the readable text
	for i := e.next(v.text, 0); i < len(v.text); {
		if w.open && i-end > reach { // before the escape is read: a search in the window overwrites f.meaning
			w.copy(v.text, end, end+reach)
			w.close(end+reach, false)
		}
		out, n := e.read(f.meaning[:0], v.text[i:min(len(v.text), i+longestEscape)])
		if n < 0 && v.cut && len(v.text)-i <= longestEscape {
			stop = i // half an escape
			break
		}
		if n <= 0 {
			i = e.next(v.text, i+1)
			continue
		}
		if !w.open {
			end = max(end, i-reach)
		}
		w.copy(v.text, end, i)
		w.add(out, i)
		end = i + n
		i = e.next(v.text, end)
	}
	if stop < len(v.text) && !w.open {
		end = max(end, stop-reach)
		w.open = true
	}
	if w.open {
		to := min(end+reach, stop)
		w.copy(v.text, end, to)
		w.close(to, v.cut && to == stop)
	}
}

// window is a text that comes out of the last view, byte after byte.
type window struct {
	*search
	open        bool
	text, begun int // where it begins on the stacks
}

func newWindow(f *search) window { return window{search: f, text: len(f.bytes), begun: len(f.places)} }

// copy adds text that decoding does not change.
func (w *window) copy(text []byte, from, to int) {
	w.bytes = append(w.bytes, text[from:to]...)
	for i := from; i < to; i++ {
		w.places = append(w.places, placeOf(i))
	}
}

// add opens the window and adds the decoded text of a place.
func (w *window) add(meaning []byte, at int) {
	w.open = true
	w.bytes = append(w.bytes, meaning...)
	for range meaning {
		w.places = append(w.places, placeOf(at))
	}
}

// close looks at the text of an open window, which ends at a place.
func (w *window) close(end int, cut bool) {
	if text := w.bytes[w.text:]; w.open && (len(text) >= w.secrets.shortest || cut) {
		w.places = append(w.places, placeOf(end))
		w.scan(view{text: text, back: backPlaces, places: w.places[w.begun:], cut: cut, inexact: w.views[len(w.views)-1].inexact})
	}
	w.bytes, w.places, w.open = w.bytes[:w.text], w.places[:w.begun], false
}

// readBackslash reads the escapes of JSON, JavaScript, Go, Java, C and Python.
func readBackslash(out, text []byte) ([]byte, int) {
	if len(text) < 2 {
		return out, -1
	}
	c := text[1]
	switch {
	case strings.IndexByte("\"\\/'`", c) >= 0:
		return append(out, c), 2
	case strings.IndexByte("abtnvfr", c) >= 0:
		return append(out, "\a\b\t\n\v\f\r"[strings.IndexByte("abtnvfr", c)]), 2
	case c == 'x':
		value, n := readHex(text, 2, 2)
		return appendByte(out, value, n)
	case c == 'u' && len(text) > 2 && text[2] == '{':
		return readBraces(out, text)
	case c == 'u':
		return readUTF16(out, text)
	case c == 'U':
		value, n := readHex(text, 2, 8)
		return appendRune(out, value, n)
	case '0' <= c && c <= '7':
		value, n := 0, 1
		for ; n < min(4, len(text)) && '0' <= text[n] && text[n] <= '7'; n++ {
			value = value<<3 | int(text[n]-'0')
		}
		return append(out, byte(value)), n
	}
	return out, 0
}

// readBraces reads a character whose number stands in braces.
func readBraces(out, text []byte) ([]byte, int) {
	const most = len(`\u{10ffff}`)
	end := bytes.IndexByte(text[:min(len(text), most)], '}')
	if end < 0 && len(text) < most {
		return out, -1
	}
	value, n := readHex(text, 3, end-3)
	if n != end || n <= 3 {
		return out, 0
	}
	return utf8.AppendRune(out, value), n + 1
}

func readPercent(out, text []byte) ([]byte, int) {
	switch {
	case len(text) < 2:
		return out, -1
	case text[1]|0x20 == 'u':
		return readUTF16(out, text)
	}
	value, n := readHex(text, 1, 2)
	return appendByte(out, value, n)
}

// readForm also knows the space of forms.
func readForm(out, text []byte) ([]byte, int) {
	if text[0] == '+' {
		return append(out, ' '), 1
	}
	return readPercent(out, text)
}

func readEntity(out, text []byte) ([]byte, int) {
	n := 1
	for n < len(text) && (text[n] == '#' && n == 1 || text[n]|0x20 >= 'a' && text[n]|0x20 <= 'z' || text[n] >= '0' && text[n] <= '9') {
		n++
	}
	if n == len(text) {
		return out, -1
	}
	if text[n] == ';' {
		n++
	}
	if meaning := html.UnescapeString(string(text[:n])); meaning != string(text[:n]) {
		return append(out, meaning...), n
	}
	return out, 0
}

// readQuotedPrintable also reads the breaks between lines, which mean nothing.
func readQuotedPrintable(out, text []byte) ([]byte, int) {
	for _, end := range []string{"=\n", "=\r\n"} {
		if bytes.HasPrefix(text, []byte(end)) {
			return out, len(end)
		}
	}
	if string(text) == "=\r" {
		return out, -1
	}
	value, n := readHex(text, 1, 2)
	return appendByte(out, value, n)
}

// readEncodedWord reads a word of a MIME header, with the space to the next.
func readEncodedWord(out, text []byte) ([]byte, int) {
	parts := bytes.SplitN(text, []byte("?"), 4) // "=", character set, encoding, the rest
	if len(parts) < 4 {
		return out, -1
	}
	length := bytes.Index(parts[3], []byte("?="))
	if length < 0 {
		return out, -1
	}
	n := len(text) - len(parts[3]) + length + len("?=")
	meaning, err := new(mime.WordDecoder).Decode(string(text[:n]))
	if err != nil {
		return out, 0
	}
	if rest := bytes.TrimLeft(text[n:], " \t\r\n"); bytes.HasPrefix(rest, []byte("=?")) {
		n = len(text) - len(rest)
	}
	return append(out, meaning...), n
}

// readDoubledQuote reads the quotes inside quotes of CSV and SQL.
func readDoubledQuote(out, text []byte) ([]byte, int) {
	switch {
	case len(text) < 2:
		return out, -1
	case text[1] == text[0]:
		return append(out, text[0]), 2
	}
	return out, 0
}

// readReplacement reads the replacements that encoders write for the zeros of
// UTF-16.
func readReplacement(out, text []byte) ([]byte, int) {
	const replacement = "\uFFFD"
	switch {
	case bytes.HasPrefix(text, []byte(replacement)):
		return out, len(replacement)
	case strings.HasPrefix(replacement, string(text)):
		return out, -1
	}
	return out, 0
}

// readUTF16 reads one or two units that are written in four hexadecimal digits
// each, behind the two bytes that the text begins with.
func readUTF16(out, text []byte) ([]byte, int) {
	value, n := readHex(text, 2, 4)
	if n > 0 && utf16.IsSurrogate(value) && bytes.HasPrefix(text[n:], text[:2]) {
		if low, more := readHex(text[n:], 2, 4); more > 0 {
			value, n = utf16.DecodeRune(value, low), n+more
		}
	}
	return appendRune(out, value, n)
}

// readHex reads hexadecimal digits that begin at a place of an escape, and
// returns the length of the escape up to their end, as escape.read does.
func readHex(text []byte, at, count int) (value rune, n int) {
	for n = at; n < at+count; n++ {
		if n >= len(text) {
			return 0, -1
		}
		digit := base16.values[text[n]]
		if digit < 0 {
			return 0, 0
		}
		value = value<<4 | rune(digit)
	}
	return value, n
}

func appendByte(out []byte, value rune, n int) ([]byte, int) {
	if n > 0 {
		out = append(out, byte(value&0xff))
	}
	return out, n
}

func appendRune(out []byte, value rune, n int) ([]byte, int) {
	if n > 0 {
		out = utf8.AppendRune(out, value)
	}
	return out, n
}
