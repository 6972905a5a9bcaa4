// Package server is the product: it reads its configuration, builds the services, introduces them to each other, runs, and stops.
package server
