#include "tests/unit/tools/oci-params/request_fixture.hpp"

namespace {

class NamedValues : public RequestTest {};

TEST_F(NamedValues, BuildArgsComeFromVariablesOfAnyName) {
  EXPECT_EQ(pairs(read({{"BUILD_ARG_my-arg.x", "a=b"}, {"BUILD_ARG_UPPER", "1"}, {"BUILD_ARG_empty", ""}})
                      .build_args),
            (Strings{"UPPER=1", "empty=", "my-arg.x=a=b"}));
}

TEST_F(NamedValues, BlanksOfABuildArgCount) {
  EXPECT_EQ(pairs(read({{"BUILD_ARG_x", " one\ntwo\n"}}).build_args), (Strings{"x= one\ntwo\n"}));
}

TEST_F(NamedValues, AFamilyNeedsAName) {
  EXPECT_EQ(error_of({{"BUILD_ARG_", "x"}}),
            "BUILD_ARG_: a name must follow the prefix; write BUILD_ARG_NAME");
  EXPECT_EQ(error_of({{"LABEL_\n", "x"}}), "the variable name 'LABEL_\\n' holds more than text; rename it");
}

TEST_F(NamedValues, BuildArgsComeFromAFileOfLines) {
  write("args", "one=1\n\nempty=\ntwo = 2=3 \r\nlast=4");
  EXPECT_EQ(pairs(read({{"BUILD_ARGS_FILE", "args"}}).build_args),
            (Strings{"one=1", "empty=", "two= 2=3 ", "last=4"}));
}

TEST_F(NamedValues, BuildArgsComeFromAYamlFile) {
  write("args.yaml", "one: 1\nyes: true\nlines: |\n  a\n  b\nnothing:\n");
  write("args.yml", "one: 2\n");
  EXPECT_EQ(pairs(read({{"BUILD_ARGS_FILE", "args.yaml"}}).build_args),
            (Strings{"one=1", "yes=true", "lines=a\nb", "nothing="}));
  EXPECT_EQ(pairs(read({{"BUILD_ARGS_FILE", "args.yml"}}).build_args), (Strings{"one=2"}));
}

TEST_F(NamedValues, TheFileWinsOverTheVariableWithAWarning) {
  write("args", "x=file\ny=same\n");
  const Variables variables = {
      {"BUILD_ARGS_FILE", "args"}, {"BUILD_ARG_x", "variable"}, {"BUILD_ARG_y", "same"}};
  params::Findings findings;
  const auto request = params::read_request(params::Environment(variables), findings);
  EXPECT_EQ(pairs(request.build_args), (Strings{"x=file", "y=same"}));
  EXPECT_EQ(findings.warnings(),
            (Strings{"'x' has one value from BUILD_ARG_x and another from 'args' line 1; the "
                     "latter is used"}));
}

TEST_F(NamedValues, TheLaterLineWinsWithAWarning) {
  write("labels", "x=1\nx=2\n");
  EXPECT_EQ(
      warnings_of({{"LABELS_FILE", "labels"}}),
      (Strings{
          "'x' has one value from 'labels' line 1 and another from 'labels' line 2; the latter is used"}));
}

TEST_F(NamedValues, ErrorsInAFileNameItsLine) {
  write("args", "one=1\nsecret-without-name\n");
  write("args.yml", "one: 1\ntwo: [2]\n");
  EXPECT_EQ(error_of({{"BUILD_ARGS_FILE", "args"}}),
            "BUILD_ARGS_FILE: 'args': line 2: there is no '='; write name=value");
  EXPECT_EQ(error_of({{"BUILD_ARGS_FILE", "args.yml"}}),
            "BUILD_ARGS_FILE: 'args.yml': line 2: the value of 'two' is a list; it must be a text");
}

TEST_F(NamedValues, AFileMustBeThereAndBeText) {
  write("latin", "x=\xe9\n");
  write("nul", std::string("x=\0\n", 4));
  EXPECT_EQ(error_of({{"BUILD_ARGS_FILE", "args"}}),
            "BUILD_ARGS_FILE: 'args' does not exist; is its input missing from the task?");
  EXPECT_EQ(error_of({{"LABELS_FILE", "."}}), "LABELS_FILE: '.' is a directory; name a file in it");
  EXPECT_EQ(error_of({{"LABELS_FILE", "latin"}}), "LABELS_FILE: 'latin' is not UTF-8; save it as UTF-8 text");
  EXPECT_EQ(error_of({{"LABELS_FILE", "nul"}}), "LABELS_FILE: 'nul' holds a NUL byte; it must be text");
}

TEST_F(NamedValues, LabelsComeFromVariablesAndAFileThatIsNeverYaml) {
  write("labels.yml", "from: file=1\n");
  EXPECT_EQ(pairs(read({{"LABELS_FILE", "labels.yml"}, {"LABEL_org.example.a", "b"}}).labels),
            (Strings{"org.example.a=b", "from: file=1"}));
}

TEST_F(NamedValues, AnnotationsComeFromVariables) {
  EXPECT_EQ(pairs(read({{"ANNOTATION_org.opencontainers.image.source", "https://example.com"}}).annotations),
            (Strings{"org.opencontainers.image.source=https://example.com"}));
}

TEST_F(NamedValues, AnAnnotationInUpperCaseIsAnError) {
  EXPECT_EQ(error_of({{"ANNOTATION_org.example.Title", "x"}}),
            "the annotation 'org.example.Title' has upper-case letters, which do not pass BuildKit's client; "
            "use lower case");
}

TEST_F(NamedValues, AnnotationsComeFromAFileToo) {
  write("annotations", "org.example.b=two words\norg.example.C=x\n");
  EXPECT_EQ(error_of({{"ANNOTATIONS_FILE", "annotations"}}),
            "the annotation 'org.example.C' has upper-case letters, which do not pass BuildKit's client; "
            "use lower case");
  write("annotations", "org.example.b=two words\n");
  EXPECT_EQ(pairs(read({{"ANNOTATIONS_FILE", "annotations"}, {"ANNOTATION_org.example.a", "x"}}).annotations),
            (Strings{"org.example.a=x", "org.example.b=two words"}));
}

}  // namespace
