# What cmake --install leaves besides what tools/CMakeLists.txt names.
set(docs ${CMAKE_INSTALL_DATAROOTDIR}/doc/oci-build)
set(completions ${PROJECT_SOURCE_DIR}/tools/completions)

# install_link(FOLDER NAME TARGET): a symbolic link to a file beside it.
function(install_link folder name target)
  install(CODE "
    set(folder \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${folder}\")
    file(CREATE_LINK \"${target}\" \"\${folder}/${name}\" SYMBOLIC)
    message(STATUS \"Installing: \${folder}/${name} -> ${target}\")")
endfunction()

get_property(tools GLOBAL PROPERTY OCI_BUILD_TOOLS)
foreach(tool ${tools})
  file(GLOB page CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tools/${tool}/*.1)
  install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 RENAME ${tool}.1)
  if(OCI_BUILD_STATIC AND tool MATCHES "^oci-(digest|params|preload|unpack)$")
    install_link(${CMAKE_INSTALL_BINDIR} ${tool} oci-build)
  endif()
endforeach()
install(FILES ${completions}/bash DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/bash-completion/completions RENAME oci-build)
install(FILES ${completions}/fish DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/fish/vendor_completions.d RENAME oci-build.fish)
install(FILES ${completions}/zsh DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/zsh/vendor-completions RENAME _oci-build)

# The program is oci-build. "build", which Concourse's tasks run, is a link that can be left out.
set(others ${tools})
list(REMOVE_ITEM others oci-build)
if(OCI_BUILD_NAME_BUILD)
  list(APPEND others build)
  install_link(${CMAKE_INSTALL_BINDIR} build oci-build)
  install_link(${CMAKE_INSTALL_MANDIR}/man1 build.1 oci-build.1)
endif()
foreach(tool ${others})
  install_link(${CMAKE_INSTALL_DATAROOTDIR}/bash-completion/completions ${tool} oci-build)
  install_link(${CMAKE_INSTALL_DATAROOTDIR}/fish/vendor_completions.d ${tool}.fish oci-build.fish)
endforeach()

file(GLOB schemas CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/common/*/*.schema.json)
install(FILES ${schemas} DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/oci-build/schemas)
install(FILES LICENSE README.md CHANGELOG.md SECURITY.md scripts/package/THIRD-PARTY DESTINATION ${docs})
