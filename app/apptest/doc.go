// Package apptest is the kit for tests of the program: it builds the program
// and starts instances of it on a new database, drives their console as a
// browser without JavaScript, reports events as a site does, and receives
// deliveries.
//
// It knows the program by its command line, its environment and HTTP alone,
// except for the code that fills a database before an instance starts.
package apptest
