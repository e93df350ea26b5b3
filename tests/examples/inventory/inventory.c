// Adds up what a JSON object of numbers holds: "inventory stock.json" prints the sum.
#include <jansson.h>
#include <stdio.h>

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: inventory FILE\n");
    return 2;
  }
  json_error_t error;
  json_t* stock = json_load_file(argv[1], 0, &error);
  if (!json_is_object(stock)) {
    fprintf(stderr, "inventory: %s: %s\n", argv[1], stock ? "not an object" : error.text);
    return 1;
  }
  const char* name;
  json_t* count;
  json_int_t sum = 0;
  json_object_foreach(stock, name, count) sum += json_integer_value(count);
  printf("%" JSON_INTEGER_FORMAT " things in stock\n", sum);
  json_decref(stock);
  return 0;
}
