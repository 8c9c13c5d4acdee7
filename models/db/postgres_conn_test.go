package db

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// A connection whose server owes an answer has a deadline, however the answer
// is cut into pieces, and one whose server owes nothing has none.
func TestAConnectionHasADeadlineWhileItsServerOwesAnAnswer(t *testing.T) {
	client, server := net.Pipe()
	defer server.Close()
	hung := 0
	c := &answeringConn{Conn: client, within: time.Minute, hung: func() { hung++ }}
	owes := func(want bool, when string) {
		t.Helper()
		if c.owed.IsZero() == want {
			t.Errorf("%s: owed %v", when, c.owed)
		}
	}
	receive := func(piece string) {
		t.Helper()
		go func() { _, _ = io.WriteString(server, piece) }()
		if _, err := io.ReadFull(c, make([]byte, len(piece))); err != nil {
			t.Fatal(err)
		}
	}
	ask := func() {
		t.Helper()
		go func() { _, _ = io.ReadFull(server, make([]byte, 1)) }()
		if _, err := c.Write([]byte{'Q'}); err != nil {
			t.Fatal(err)
		}
	}
	receive("A notification")
	owes(false, "at first")
	ask()
	owes(true, "after a question")
	for _, piece := range []string{"D row", "C", "Z\x00", "\x00", "\x00\x05"} {
		receive(piece)
		owes(true, "in the midst of the answer")
	}
	receive("I")
	owes(false, "after the answer")

	c.nextWithin(time.Millisecond)
	ask()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, errHung) || hung != 1 {
		t.Errorf("a server that says nothing: %v, told %d times", err, hung)
	}
	if _, err := server.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the connection is still open: %v", err)
	}
}
