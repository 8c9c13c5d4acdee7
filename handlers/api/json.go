package api

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxDepth is how deep arrays and objects of an event may be nested, the event
// itself counted.
const MaxDepth = 64

// ErrMoreJSON says that a value was followed by something.
var ErrMoreJSON = errors.New("is followed by more data; send several events as a list or as application/x-ndjson")

var decoders = sync.Pool{New: func() any { return jsontext.NewDecoder(bytes.NewReader(nil)) }}

// ValidJSON returns the one value of text after a strict check of all of it:
// syntax, UTF-8, surrogates, duplicate keys. The simple functions below rely on
// that check when they walk over the bytes.
func ValidJSON(text []byte) ([]byte, error) {
	d := decoders.Get().(*jsontext.Decoder) //nolint:forcetypeassert // the pool holds nothing else
	defer decoders.Put(d)
	d.Reset(bytes.NewBuffer(text))
	value, err := d.ReadValue()
	if err != nil {
		return nil, err
	}
	start := int(d.InputOffset()) - len(value)
	if _, err = d.ReadToken(); errors.Is(err, io.EOF) {
		return text[start : start+len(value)], nil
	}
	return nil, ErrMoreJSON
}

// PlaceOf names the value or key at an offset of valid JSON, as a JSON pointer.
func PlaceOf(text []byte, offset int) string {
	d := jsontext.NewDecoder(bytes.NewBuffer(text))
	for {
		if _, err := d.ReadToken(); err != nil || d.InputOffset() > int64(offset) {
			return string(d.StackPointer())
		}
	}
}

// Compact appends valid JSON without its whitespace; all else stays as it is,
// so that numbers, escapes and the order of keys are the sender's. It also
// tells where NUL first stands in a string, and where nesting first goes deeper
// than MaxDepth; -1: nowhere.
func Compact(dst, src []byte) (out []byte, nul, deep int) {
	nul, deep = -1, -1
	depth, from := 0, 0 // src[from:i] is still to be copied
	for i := 0; i < len(src); {
		switch src[i] {
		case '"':
			end := skipString(src, i)
			if nul < 0 {
				nul = nulEscape(src, i, end)
			}
			i = end
			continue
		case ' ', '\t', '\r', '\n':
			dst = append(dst, src[from:i]...)
			from = i + 1
		case '{', '[':
			if depth++; depth > MaxDepth && deep < 0 {
				deep = i
			}
		case '}', ']':
			depth--
		}
		i++
	}
	return append(dst, src[from:]...), nul, deep
}

// nulEscape finds \u0000 in the string src[start:end]. A raw NUL is no JSON.
func nulEscape(src []byte, start, end int) int {
	for i := start; ; i += 2 {
		n := bytes.IndexByte(src[i:end], '\\')
		if n < 0 {
			return -1
		}
		if i += n; bytes.HasPrefix(src[i:end], []byte(`\u0000`)) {
			return i
		}
	}
}

// skipString returns where the string that starts at b[i] ends.
func skipString(b []byte, i int) int {
	for i++; b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// skipValue returns where the value that starts at b[i] ends.
func skipValue(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			i = skipString(b, i)
			if depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i // of the value around a number or a literal
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return i
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\r' || b[i] == '\n') {
		i++
	}
	return i
}

// Members goes over the keys, without quotes and escapes, and the values of a
// valid JSON object.
func Members(object []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		i := skipSpace(object, 1)
		for object[i] != '}' {
			end := skipString(object, i)
			key := object[i+1 : end-1]
			if bytes.IndexByte(key, '\\') >= 0 {
				key, _ = jsontext.AppendUnquote(nil, object[i:end]) // valid, so no error
			}
			i = skipSpace(object, skipSpace(object, end)+1) // over the colon
			end = skipValue(object, i)
			if !yield(key, object[i:end]) {
				return
			}
			if i = skipSpace(object, end); object[i] == ',' {
				i = skipSpace(object, i+1)
			}
		}
	}
}

// Elements goes over the values of a valid JSON array.
func Elements(array []byte) iter.Seq[[]byte] {
	return func(yield func(value []byte) bool) {
		i := skipSpace(array, 1)
		for array[i] != ']' {
			end := skipValue(array, i)
			if !yield(array[i:end]) {
				return
			}
			if i = skipSpace(array, end); array[i] == ',' {
				i = skipSpace(array, i+1)
			}
		}
	}
}

// Unquote returns the text of a valid JSON string.
func Unquote(v []byte) string {
	if bytes.IndexByte(v, '\\') < 0 {
		return string(v[1 : len(v)-1])
	}
	s, _ := jsontext.AppendUnquote(nil, v) // valid, so no error
	return string(s)
}

// Item names element i of an array, counted from 0, as in tags[3].
func Item(name string, i int) string { return name + "[" + strconv.Itoa(i) + "]" }
