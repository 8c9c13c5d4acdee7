package api

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
)

// TestARefusalReachesWhoWritesFirst: a plain client writes all of its body
// before it reads the answer; the connection must not be cut under it.
func TestARefusalReachesWhoWritesFirst(t *testing.T) {
	address := strings.TrimPrefix(serve(t, newTestEvents(&fakeStore{})), "http://")
	address, _, _ = strings.Cut(address, "/")
	for _, size := range []int{maxBody + 1, 9_000_000} {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_, err = fmt.Fprintf(conn, "POST /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer configured\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
			size)
		if err == nil {
			_, err = conn.Write(bytes.Repeat([]byte(" "), size))
		}
		if err != nil {
			t.Errorf("%d bytes: cut while writing: %v", size, err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%d bytes: no answer: %v", size, err)
		}
		if resp.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%d bytes: %s", size, resp.Status)
		}
		_ = resp.Body.Close()
		_ = conn.Close()
	}
}
