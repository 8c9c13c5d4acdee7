package static

import (
	"bytes"
	"compress/gzip"
	"strconv"
	"strings"
)

func compress(content []byte) []byte {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is a valid one
	}
	// A buffer takes everything.
	_, _ = z.Write(content)
	_ = z.Close()
	return out.Bytes()
}

// acceptsGzip reads Accept-Encoding as RFC 9110 does: gzip by name decides
// before *, and a weight of 0 refuses.
func acceptsGzip(fields []string) bool {
	all := false
	for coding := range strings.SplitSeq(strings.Join(fields, ","), ",") {
		coding, parameters, _ := strings.Cut(coding, ";")
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip", "x-gzip":
			return weight(parameters) > 0
		case "*":
			all = weight(parameters) > 0
		}
	}
	return all
}

// weight is the q of a coding: 1 when there is none, 0 when it cannot be read.
func weight(parameters string) float64 {
	name, value, ok := strings.Cut(parameters, "=")
	if !ok || !strings.EqualFold(strings.TrimSpace(name), "q") {
		return 1
	}
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil {
		return 0
	}
	return q
}
