package send

import (
	"bytes"
	"regexp"
	"strings"
)

// undoNumbers looks at bytes that are written as a list of decimal numbers,
// with a sign where a language's bytes have one.
func (f *search) undoNumbers() {
	v := f.views[len(f.views)-1]
	if len(v.text) < 2*f.secrets.shortest-1 && !v.cut {
		return
	}
	list := newWindow(f)
	for i := 0; i < len(v.text); {
		value, n := readNumber(v.text[i:])
		switch {
		case n > 0 && i+n == len(v.text) && v.cut: // perhaps half of one
			i += n
		case n > 0:
			list.add([]byte{byte(value & 0xff)}, i)
			i += n
		case strings.IndexByte(", \t\r\n", v.text[i]) >= 0:
			i++
		default:
			list.close(i, false)
			i++
		}
	}
	list.close(len(v.text), v.cut)
}

// readNumber reads a number that one byte may be, and returns its length; 0:
// there is none.
func readNumber(text []byte) (value, n int) {
	sign := 1
	if text[0] == '-' {
		sign, n = -1, 1
	}
	first := n
	for ; n < len(text) && text[n] >= '0' && text[n] <= '9'; n++ {
		if value = value*10 + int(text[n]-'0'); value > 255 {
			return 0, 0
		}
	}
	if n == first {
		return 0, 0
	}
	return sign * value, n
}

// dumpLine is a line of hex.Dump, hexdump -C or xxd: an offset, bytes in
// hexadecimal digits, and their printable characters.
var dumpLine = regexp.MustCompile(`(?m)[0-9A-Fa-f]{7,8}:?[ \t]+((?:[0-9A-Fa-f]{2,4}[ \t]{1,3}){1,16}).*$`)

// undoDumps searches the content of dumps. A byte of one is mapped to its whole
// line, which shows it twice.
func (f *search) undoDumps() {
	v := f.views[len(f.views)-1]
	if !bytes.Contains(v.text, []byte("0000000")) {
		return
	}
	dump := newWindow(f)
	end := 0
	for _, m := range dumpLine.FindAllSubmatchIndex(v.text, -1) {
		if m[0] != end+1 {
			dump.close(end, false)
		}
		digits := bytes.Map(func(r rune) rune {
			if r == ' ' || r == '\t' {
				return -1
			}
			return r
		}, v.text[m[2]:m[3]])
		dump.add(base16.append(nil, digits), m[0])
		end = m[1]
	}
	dump.close(end, v.cut && end == len(v.text))
}
