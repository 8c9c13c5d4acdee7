// Package bench measures whole installations of Sitehooks: events and
// deliveries a second, latency, the cost in processor time, memory and disk,
// and the time of pages. It runs the program as an operator does, beside a
// receiver and a load that are processes of their own.
//
// It consists of tests. make bench runs them, and docs/performance.md is made
// from their figures.
package bench
