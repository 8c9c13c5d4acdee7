// Package jq runs the jq programs of sources, which neither loop for ever nor
// fill the memory of the process that asked: they run in child processes, one a
// source, which are reused.
//
// It promises that a program has no environment, no modules and no other input
// than the request, that it gets MaxMemory and Timeout and no more, and that
// only its own child ends when it wants more.
//
// It does not know events: what a program yields is JSON.
package jq

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Limits of a program.
const (
	MaxProgram = 64 << 10  // bytes of its text
	MaxMemory  = 128 << 20 // bytes of its child, all of it
	Timeout    = 500 * time.Millisecond
	MaxOutputs = 1000    // values that it yields
	maxAnswer  = 4 << 20 // bytes of all of them
)

// Input is what a program gets.
type Input struct {
	Body   []byte            `json:"body"`   // one JSON text; the program's .
	Header map[string]string `json:"header"` // by lower-case name; the program's $headers
}

// Fault is a program's own fault, in a sentence for people.
type Fault struct{ Text string }

func (f *Fault) Error() string { return f.Text }

func faultf(format string, args ...any) *Fault { return &Fault{fmt.Sprintf(format, args...)} }

// request asks a child to run a program, or only to compile it.
type request struct {
	Program string `json:"program"`
	Input   *Input `json:"input,omitempty"`
}

// answer is what a child says to a request.
type answer struct {
	Outputs []json.RawMessage `json:"outputs,omitempty"`
	Fault   string            `json:"fault,omitempty"`
}

// lengthBytes is how many bytes of a frame say how long the rest is.
const lengthBytes = 4

// writeFrame writes v as JSON after its length.
func writeFrame(w io.Writer, v any) error {
	var frame bytes.Buffer
	frame.Write(make([]byte, lengthBytes))
	encoder := json.NewEncoder(&frame)
	encoder.SetEscapeHTML(false) // what a program yields passes as it is
	if err := encoder.Encode(v); err != nil {
		return err
	}
	binary.BigEndian.PutUint32(frame.Bytes(), uint32(frame.Len()-lengthBytes)) //nolint:gosec // far below 4 GiB
	_, err := w.Write(frame.Bytes())
	return err
}

// readFrame reads what writeFrame wrote, of at most limit bytes.
func readFrame(r io.Reader, limit uint32, v any) error {
	var length [lengthBytes]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > limit {
		return errors.New("a message is too long")
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}
