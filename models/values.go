package models

import "strings"

// valuesMost is how many rows a list of values has at most. Shorter ones are
// filled up, so that there are few lengths, and few statements to prepare.
const valuesMost = 128

// values writes a list of rows, which both databases understand as a table
// with the columns column1, column2, …; what fills it up is null.
func values(row string, rows [][]any) (text string, args []any) {
	n := 1
	for n < len(rows) {
		n *= 2
	}
	for _, r := range rows {
		args = append(args, r...)
	}
	args = append(args, make([]any, (n-len(rows))*len(rows[0]))...)
	return "(values " + valueRows(row, n) + ")", args
}

// valueRows are so many rows of a VALUES list.
func valueRows(row string, n int) string {
	return strings.TrimSuffix(strings.Repeat(row+",", n), ",")
}

// inPowers hands on a list in portions of a power of two, at most valuesMost:
// there are few lengths, and few statements to prepare.
func inPowers[T any](list []T, work func(part []T) error) error {
	for n := valuesMost; len(list) > 0; n /= 2 {
		for len(list) >= n {
			if err := work(list[:n]); err != nil {
				return err
			}
			list = list[n:]
		}
	}
	return nil
}
