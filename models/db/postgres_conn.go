package db

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// answeringConn is a network connection to PostgreSQL that is given up when the
// server owes an answer and says nothing for too long: one that a firewall or a
// load balancer has forgotten neither answers nor closes. It gives every use of
// the database a deadline, independent of its context.
type answeringConn struct {
	net.Conn
	within time.Duration // for the next piece of an answer
	hung   func()        // is called when the connection was given up
	since  time.Time     // when it was opened

	mu          sync.Mutex
	driver      time.Time // the deadline that the driver set; zero: none
	owed        time.Time // when the server must have said something; zero: it owes nothing
	requestedAt time.Time // when the answer was asked for
	once        time.Duration
	tail        []byte // the last bytes that were read
}

// errHung says that the server owed an answer. It is not a net.Error: the
// driver would take its time-out for a cancelled query.
var errHung = errors.New("the database did not answer")

// errEnded says that the server closed a connection before it had answered. The
// driver's own error for that could be one of a text that is cut short as well.
var errEnded = errors.New("the database closed the connection")

// endingConn is a network connection to PostgreSQL whose end is errEnded.
type endingConn struct{ net.Conn }

func (c endingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) { // the second one ends TLS
		err = errEnded
	}
	return n, err
}

const (
	// pingWithin is how long a connection that was idle may take to show that
	// it is alive.
	pingWithin = 2 * time.Second
	// goodbyeWithin is how long the server may take to close its side.
	goodbyeWithin = time.Second
	// suspicious is how long an answer is missing when a question is cancelled
	// for which the other connections are suspected too.
	suspicious = 2 * time.Second
)

// readyForQuery begins the message with which every answer of the server ends;
// one byte follows.
var readyForQuery = []byte{'Z', 0, 0, 0, 5}

// terminate is the message with which the driver says goodbye.
var terminate = []byte{'X', 0, 0, 0, 4}

// nextWithin gives the next answer another time than usual.
func (c *answeringConn) nextWithin(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.once = d
}

// Write sends a message that expects an answer.
func (c *answeringConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	within := c.within
	switch {
	case bytes.Equal(b, terminate):
		within = goodbyeWithin
	case c.once > 0:
		within, c.once = c.once, 0
	}
	if c.owed.IsZero() {
		c.requestedAt = time.Now()
	}
	c.owed = time.Now().Add(within)
	err := c.apply()
	c.mu.Unlock()
	if err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(b)
	return n, c.giveUp(err)
}

// Read reads a piece of an answer.
func (c *answeringConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.received(b[:n])
	}
	return n, c.giveUp(err)
}

// received notes whether the server still owes something.
func (c *answeringConn) received(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.owed.IsZero() {
		return // it says something unasked, as a notification
	}
	const length = 6
	c.tail = append(c.tail, b[max(0, len(b)-length):]...)
	c.tail = c.tail[max(0, len(c.tail)-length):]
	if c.owed = time.Now().Add(c.within); len(c.tail) == length && bytes.HasPrefix(c.tail, readyForQuery) {
		c.owed, c.tail = time.Time{}, c.tail[:0]
	}
	_ = c.apply() // the next read returns the connection's fault
}

// SetDeadline is how the driver cancels a question.
func (c *answeringConn) SetDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.driver = t
	return c.apply()
}

// apply sets the earlier of the two deadlines; c.mu is held.
func (c *answeringConn) apply() error {
	at := c.driver
	if at.IsZero() || !c.owed.IsZero() && c.owed.Before(at) {
		at = c.owed
	}
	return c.Conn.SetDeadline(at)
}

// giveUp closes a connection whose server owes an answer, and makes the error
// say so.
func (c *answeringConn) giveUp(err error) error {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	now := time.Now()
	c.mu.Lock()
	owes := !c.owed.IsZero()
	late, waited := owes && !now.Before(c.owed), now.Sub(c.requestedAt)
	c.mu.Unlock()
	if owes && (late || waited > suspicious) {
		c.hung()
	}
	if late {
		_ = c.Close() // the connection is given up
		return errHung
	}
	return err
}
